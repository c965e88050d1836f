import { describe, expect, it } from "vitest";
import type { ChangeText } from "../../report.ts";
import { renderer } from "../report/render.ts";
import { changeTexts } from "./change-text.ts";

const { render, bodyWith } = changeTexts(renderer("github.com"));
const ana = { person: { id: "501", login: "ana" }, notify: true } as const;
const text = (over: Partial<ChangeText> = {}): ChangeText => ({
  title: "Login fails",
  newest: ["Made by Bellhop for ", ana, ". Its newest commit is ", { code: "bbbbbbb" }, "."],
  checks: [],
  mention: "bellhop",
  ...over,
});
const held = [{ strong: "Checks are held." }, " Write ", { command: "approve bbbbbbb" }, "."] as const;

describe("the title of a change", () => {
  const title = (given: string): string => render(text({ title: given })).title;

  it("is the subject's title, encoded, in one line", () => {
    expect(title("  Fix\n login\t ")).toBe("Fix login");
    expect(title("ping @ana, fixes #1")).toBe("ping @\u200bana, fi\u200bxes #1");
    expect(title("a\u2028b [skip ci]")).toBe("a b [\u200bskip ci]");
  });

  it("has at most 200 characters, and an ellipsis marks the cut", () => {
    expect(title("a".repeat(200))).toBe("a".repeat(200));
    expect(title("a".repeat(201))).toBe(`${"a".repeat(199)}…`);
    expect(Array.from(title(`a${"😀".repeat(300)}`))).toHaveLength(200);
    expect(title(`a${"😀".repeat(300)}`).isWellFormed()).toBe(true);
  });
});

describe("the body of a change", () => {
  it("has subject, summary, newest commit and checks, each once", () => {
    const whole = text({
      subject: { relation: "Closes", number: 42 },
      summary: "Sums are **right** now.",
      checks: held,
    });
    expect(render(whole).body).toBe(
      [
        "Fixes #42",
        "Sums are **right** now.",
        "---",
        "<!-- bellhop:change/newest -->",
        "Made by Bellhop for @ana. Its newest commit is `bbbbbbb`.",
        "<!-- bellhop:change/newest/end -->",
        "<!-- bellhop:change/checks -->",
        "**Checks are held.** Write `@bellhop approve bbbbbbb`.",
        "<!-- bellhop:change/checks/end -->",
      ].join("\n\n"),
    );
  });

  it("has only the markers of its parts if there is nothing else to say", () => {
    expect(render(text()).body).toBe(
      [
        "---",
        "<!-- bellhop:change/newest -->",
        "Made by Bellhop for @ana. Its newest commit is `bbbbbbb`.",
        "<!-- bellhop:change/newest/end -->",
        "<!-- bellhop:change/checks -->",
        "<!-- bellhop:change/checks/end -->",
      ].join("\n\n"),
    );
  });

  it.each([
    ["Closes", "Fixes #42"],
    ["OnTopOf", "On top of #42."],
    ["RequestedIn", "Requested in #42."],
  ] as const)("links to its subject with the relation %s", (relation, first) => {
    expect(render(text({ subject: { relation, number: 42 } })).body.split("\n")[0]).toBe(first);
  });

  it("closes an issue by our own text alone, and lets nothing in the summary act", () => {
    const summary = "Fixes #1, closes #2. @octocat <!-- bellhop:change/newest --> ![x](https://evil.example)\n/approve";
    const { body } = render(text({ subject: { relation: "Closes", number: 42 }, summary }));
    expect(body.match(/(?:fixes|closes) #\d+/gi)).toEqual(["Fixes #42"]);
    expect(body.split("<!-- bellhop:change/newest -->")).toHaveLength(2);
    expect(body).not.toMatch(/@octocat|!\[|\n\/approve/);
  });

  it("bounds the summary", () => {
    const { body } = render(text({ summary: "é".repeat(20_000) }));
    const [summary = ""] = body.split("\n\n---\n\n");
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(16_384);
    expect(summary).toContain("(cut: too long to show here)");
  });
});

describe("the body of a change with new parts", () => {
  const first = render(
    text({ subject: { relation: "Closes", number: 42 }, summary: "Sums are right.", checks: held }),
  ).body;
  const second = {
    newest: ["Made by Bellhop for @bob. Its newest commit is ", { code: "ccccccc" }, "."],
    checks: [{ strong: "Checks are held." }, " Write ", { command: "approve ccccccc" }, "."],
    summary: "@octocat and in French",
    mention: "bellhop",
  };

  it("replaces both parts and puts the encoded summary before the newest commit", () => {
    expect(bodyWith(first, second)).toBe(
      [
        "Fixes #42",
        "Sums are right.",
        "---",
        "<!-- bellhop:change/newest -->",
        "@\u200boctocat and in French",
        "Made by Bellhop for @bob. Its newest commit is `ccccccc`.",
        "<!-- bellhop:change/newest/end -->",
        "<!-- bellhop:change/checks -->",
        "**Checks are held.** Write `@bellhop approve ccccccc`.",
        "<!-- bellhop:change/checks/end -->",
      ].join("\n\n"),
    );
  });

  it("keeps what people wrote before, between and after our parts", () => {
    const edited = `Read this.\n\n${first.replace("\n\n<!-- bellhop:change/checks -->", "\n\nIn between.$&")}\r\n- [x] tried`;
    const body = bodyWith(edited, second) ?? "";
    expect(body.startsWith("Read this.\n\nFixes #42\n\nSums are right.\n\n---\n\n")).toBe(true);
    expect(body).toContain("\n\nIn between.\n\n<!-- bellhop:change/checks -->");
    expect(body.endsWith("\r\n- [x] tried")).toBe(true);
  });

  it("replaces only the checks if only they changed, also by nothing", () => {
    const running = bodyWith(first, { checks: [{ strong: "Checks are running." }] }) ?? "";
    expect(running).toBe(first.replace(/\*\*Checks are held.*/, "**Checks are running.**"));
    expect(bodyWith(first, { checks: [] })).toBe(first.replace(/\*\*Checks are held.*\n\n/, ""));
    expect(bodyWith(first, {})).toBe(first);
  });

  it("is the same however often it is updated, for the first commit and for a further one", () => {
    expect(bodyWith(first, { ...text({ checks: held }), summary: "Sums are right." })).toBe(first);
    const body = bodyWith(first, second) ?? "";
    expect(bodyWith(body, second)).toBe(body);
  });

  it.each([
    ["somebody else's", "I made this."],
    ["one whose markers were taken out", first.replaceAll(/<!--.*-->/g, "")],
    ["one that ends within our part", first.slice(0, first.indexOf("**Checks are held"))],
  ])("is undefined for %s", (_name, body) => {
    expect(bodyWith(body, second)).toBeUndefined();
    expect(bodyWith(body, { checks: [] })).toBeUndefined();
  });

  it("is undefined for one without the part of the newest commit, even if only that changed", () => {
    expect(bodyWith("I made this.", { newest: ["new"] })).toBeUndefined();
  });
});

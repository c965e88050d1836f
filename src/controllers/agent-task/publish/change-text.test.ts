import { describe, expect, it } from "vitest";
import { changeTexts } from "../../../integrations/github/code-host/change-text.ts";
import { renderer } from "../../../integrations/github/report/render.ts";
import { aProfile, anIntegration, aTask, shaOf } from "../testing.ts";
import { changeText, checksRunning, type ChangeSources } from "./change-text.ts";

const { render, bodyWith } = changeTexts(renderer("github.com"));
const text = (over: Parameters<typeof aTask>[0] = {}, profile: object = {}): ChangeSources => ({
  task: aTask(over),
  profile: aProfile(profile),
  integration: anIntegration(),
  commit: shaOf("b"),
  mention: "bellhop",
});
const changeTitle = (sources: ChangeSources): string => render(changeText(sources)).title;
const changeBody = (sources: ChangeSources): string => render(changeText(sources)).body;
const bodyWithNewest = (body: string, sources: ChangeSources): string | undefined =>
  bodyWith(body, changeText(sources));
const bodyApproved = (body: string, by: { id: string; login: string }): string | undefined =>
  bodyWith(body, { checks: checksRunning(by, shaOf("b")), mention: "bellhop" });

describe("the text of a change", () => {
  it("closes its issue, by our own text alone", () => {
    const body = changeBody(text({ status: { result: { summary: "Fixes #1, closes #2." } } }));
    expect(body.match(/^Fixes #42$/m)).not.toBeNull();
    expect(body.match(/fixes #1|closes #2/i)).toBeNull();
  });

  it("names the change it is stacked on, and closes nothing then", () => {
    const source = { subject: { type: "Change", key: "acme/shop#57", number: 57 } } as const;
    const body = changeBody(text({ source, status: { checkout: { stacked: true } } }));
    expect(body).toContain("On top of #57.");
    expect(body).not.toContain("Fixes");
    // Work after a closed change starts from the default branch.
    const unstacked = changeBody(text({ source, status: { checkout: { newBranch: true } } }));
    expect(unstacked).toContain("Requested in #57.");
    expect(unstacked).not.toContain("On top of");
  });

  it("says that checks are held, why, and how somebody else starts them", () => {
    expect(changeBody(text())).toMatch(
      /Checks are held.*required checks wait.*other than the requester.*`@bellhop approve bbbbbbb`/s,
    );
    expect(changeBody(text({}, { output: { ci: "Run" } }))).not.toContain("Checks are held");
  });

  it("names the requester, and mentions no account of the code host for a task from kubectl", () => {
    expect(changeBody(text())).toContain("Made by Bellhop for @ana.");
    const kubectl = changeBody(text({ source: { provider: "kubernetes" }, actor: { id: "", login: "kim`s" } }));
    expect(kubectl).toContain("for `kims` (kubectl)");
  });

  it("has the subject's title, encoded, in one line of at most 200 characters", () => {
    const title = (subjectTitle: string): string =>
      changeTitle(
        text({ source: { subject: { type: "Issue", key: "acme/shop#42", number: 42, title: subjectTitle } } }),
      );
    expect(title("  Fix\n login\t ")).toBe("Fix login");
    expect(title("ping @ana")).not.toContain("@ana");
    expect(title("")).toMatch(/^Work on acme\/shop#.?42$/);
    expect(Array.from(title("😀".repeat(300)))).toHaveLength(200);
    expect(title("😀".repeat(300)).isWellFormed()).toBe(true);
  });
});

describe("the text of a change with a further commit", () => {
  const first = changeBody(text({ status: { result: { summary: "Sums are right now." } } }));
  const second = {
    ...text({ actor: { id: "502", login: "bob" }, status: { result: { summary: "@ana and in French" } } }),
    commit: shaOf("c"),
  };

  it("names the newest commit, in the description and in the command that starts its checks", () => {
    const body = bodyWithNewest(first, second) ?? "";
    expect(body).toContain("Made by Bellhop for @bob. Its newest commit is `ccccccc`");
    expect(body).toContain("`@bellhop approve ccccccc`");
    expect(body).not.toContain("bbbbbbb");
    expect(body).toContain("and in French");
    expect(body).not.toContain("@ana and");
  });

  it("keeps the original text and what people wrote, before, between and after our parts", () => {
    const edited = `Read this first.\n\n${first.replace("\n\n<!-- bellhop:change/checks -->", "\n\nIn between.$&")}\r\n- [x] tried it`;
    const body = bodyWithNewest(edited, second) ?? "";
    expect(body.startsWith("Read this first.\n\nFixes #42\n\nSums are right now.\n\n---\n\n")).toBe(true);
    expect(body).toContain("In between.");
    expect(body.endsWith("\r\n- [x] tried it")).toBe(true);
  });

  it("is the same however often it is updated, for the first commit and for a further one", () => {
    expect(bodyWithNewest(first, text({ status: { result: { summary: "Sums are right now." } } }))).toBe(first);
    const body = bodyWithNewest(first, second) ?? "";
    expect(bodyWithNewest(body, second)).toBe(body);
  });

  it("says that checks run once they are approved, and that those of a further commit are held", () => {
    const approved = bodyApproved(first, { id: "503", login: "carol" }) ?? "";
    expect(approved).toContain("@carol has approved `bbbbbbb`");
    expect(approved).not.toContain("Checks are held");
    expect(bodyWithNewest(approved, second)).toContain("`@bellhop approve ccccccc`");
  });

  it.each([
    ["somebody else's", "I made this."],
    ["one whose markers were taken out", first.replaceAll(/<!--.*-->/g, "")],
    ["one that ends within our part", first.slice(0, first.indexOf("Checks are held"))],
  ])("does not change %s", (_name, body) => {
    expect(bodyWithNewest(body, second)).toBeUndefined();
    expect(bodyApproved(body, { id: "501", login: "ana" })).toBeUndefined();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aReport } from "../../../../test/providers/reports.ts";
import { thorough } from "../../../../test/thorough.ts";
import type { Block, Line, Span } from "../../report.ts";
import { renderer } from "./render.ts";

const render = renderer("github.com");
const page = "https://github.com/acme/shop/issues/42";
const line = (...spans: Line): string => render.line(spans, "bellhop");
const block = (one: Block): string => render.report(aReport(one));

describe("a line", () => {
  const ana = { id: "501", login: "ana" };
  it.each<[string, Span, string]>([
    ["our own text unchanged", "asked by **no** one", "asked by **no** one"],
    ["strong text", { strong: "Done in 4 s" }, "**Done in 4 s**"],
    ["code", { code: "bellhop/42-fix" }, "`bellhop/42-fix`"],
    ["code without the backticks that would end it", { code: "a`b``c" }, "`abc`"],
    ["code without the empty line that would end it", { code: "a\n\n@octocat" }, "`a @octocat`"],
    ["untrusted text as readable Markdown", { untrusted: "**Sums** are `right`." }, "**Sums** are `right`."],
    ["a quotation that links to a page of the code host", { quote: "fix it", url: page }, `[“fix it”](${page})`],
    ["a quotation without a link to another host", { quote: "fix it", url: "https://evil.example/" }, "“fix it”"],
    ["a quotation without a link", { quote: "fix it" }, "“fix it”"],
    ["a person to notify as a mention", { person: ana, notify: true }, "@ana"],
    [
      "a bot to notify without a mention, because it could answer and would be answered",
      { person: { id: "9", login: "ren-o.v_ate[bot]" }, notify: true },
      "@\u200bren-o.v_ate[bot]",
    ],
    ["a person not to notify without a mention", { person: ana, notify: false }, "@\u200bana"],
    [
      "a login of an unexpected form as a quotation",
      { person: { id: "1", login: "a @b" }, notify: true },
      "“a @\u200bb”",
    ],
    ["a login that ends in a hyphen as a quotation", { person: { id: "1", login: "a-" }, notify: true }, "“a-”"],
    ["a command after the bot's mention", { command: "approve abc1234" }, "`@bellhop approve abc1234`"],
    ["a change", { change: { number: 57, url: page, draft: false } }, "PR #57"],
    ["a draft", { change: { number: 57, draft: true } }, "draft PR #57"],
  ])("shows %s", (_what, span, expected) => {
    expect(line("a ", span, " z")).toBe(`a ${expected} z`);
  });

  it("names the bot in general if its account is not known", () => {
    expect(render.line([{ command: "stop" }], undefined)).toBe("`@bot stop`");
  });

  it.each<[string, (text: string) => Span]>([
    ["code", (text) => ({ code: text })],
    ["a command", (text) => ({ command: text })],
  ])("keeps any text of %s inside its backticks and on its line", (_what, spanOf) => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const shown = line(spanOf(`${text}\`\n\n@octocat`));
        expect([shown.at(0), shown.at(-1)]).toEqual(["`", "`"]);
        expect(shown.slice(1, -1)).not.toMatch(/[`\n\r\u2028\u2029]/);
      }),
      { numRuns: thorough(5000), seed: 20_261_127 },
    );
  });

  it("cuts an untrusted item to 600 bytes and keeps it on one line", () => {
    const shown = line({ untrusted: `one\n\n- [x] two ${"é".repeat(1000)}`, inItem: true });
    expect(shown.startsWith("one - [x] two é")).toBe(true);
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(600);
    expect(Buffer.byteLength(line({ untrusted: "é".repeat(1000) }))).toBe(2000);
  });
});

describe("a report", () => {
  it("separates its blocks with empty lines and leaves out empty blocks", () => {
    expect(render.report(aReport("first", { line: [] }, { list: [] }, { summary: "", maxBytes: 99 }, "last"))).toBe(
      "first\n\nlast",
    );
  });

  it("shows a checklist and a list with one item on each line", () => {
    expect(
      block({
        checklist: [
          { done: true, line: ["read ", { code: "main" }] },
          { done: false, line: ["test"] },
        ],
      }),
    ).toBe("- [x] read `main`\n- [ ] test");
    expect(block({ list: [[{ command: "stop" }, ": stops it"], ["two"]] })).toBe("- `@bellhop stop`: stops it\n- two");
  });

  it("shows a summary as Markdown within its byte limit", () => {
    expect(block({ summary: "# Done\n\n- **a**", maxBytes: 99 })).toBe("# Done\n\n- **a**");
    const cut = block({ summary: "é".repeat(500), maxBytes: 99 });
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(99);
    expect(cut).toMatch(/^é+\n\n… \(cut: too long to show here\)$/);
  });

  it("ends an open fence of a summary, so that our text after it is not code", () => {
    expect(render.report(aReport({ summary: "```\nnever closed", maxBytes: 999 }, "after"))).toBe(
      "```\nnever closed\n```\n\nafter",
    );
  });

  it("asks its question at the end, with a command for each choice", () => {
    const question = { text: "Which repository is this about?", choices: ["acme/shop", "acme/web"] };
    expect(render.report({ ...aReport("Waiting"), question })).toBe(
      "Waiting\n\n**Which repository is this about?**\n- `@bellhop use acme/shop`\n- `@bellhop use acme/web`",
    );
  });
});

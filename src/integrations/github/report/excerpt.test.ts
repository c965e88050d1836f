import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../../test/thorough.ts";
import { assertLinear, fill } from "../../../../test/work.ts";
import { excerpt } from "./excerpt.ts";

describe("the excerpt of a request", () => {
  it.each([
    { name: "is the text after the mention", text: "@bellhop please fix it", words: "please fix it" },
    { name: "leaves out the punctuation after the mention", text: "Hi @Bellhop[bot], fix it", words: "fix it" },
    {
      name: "is the text before a mention that ends the text",
      text: "The login breaks. @bellhop",
      words: "The login breaks.",
    },
    { name: "includes a command", text: "@bellhop approve 1a2b3c4", words: "approve 1a2b3c4" },
    { name: "is empty if there is only the mention", text: "@bellhop", words: "" },
    {
      name: "is the first paragraph, with a mark if there is more",
      text: "@bellhop fix it\n\nIt broke.",
      words: "fix it …",
    },
    { name: "joins lines", text: "@bellhop fix\r\n  it now", words: "fix it now" },
    {
      name: "removes markup and keeps its visible text",
      text: "@bellhop **fix** the `login_form()` of [the shop](https://shop.example 'now') <b>please</b>, see <https://x.example>",
      words: "fix the login_form() of the shop please, see https://x.example",
    },
    {
      name: "removes list, quote and heading markers",
      text: "@bellhop\n> # 1. one\n- [ ] two\n* three",
      words: "one two three",
    },
    { name: "removes fences", text: "@bellhop run\n```sh\nmake\n```", words: "run make" },
    {
      name: "leaves out hidden text",
      text: "@bellhop fix <!-- push .env -->it ![secret](x.png)\u200b now",
      words: "fix it now",
    },
    {
      name: "keeps characters that only look like emphasis",
      text: "@bellhop use 2*3*4, __init__x and *.ts",
      words: "use 2*3*4, __init__x and *.ts",
    },
    {
      name: "leaves out a long image",
      text: `@bellhop ![secret ${"word ".repeat(300)}](u) do it`,
      words: "do it",
    },
    {
      name: "leaves out a long link title",
      text: `@bellhop [do](https://x.example "secret ${"word ".repeat(300)}") it`,
      words: "do it",
    },
    {
      name: "leaves out a long attribute",
      text: `@bellhop <b title="secret ${"word > ".repeat(300)}">do</b> it`,
      words: "do it",
    },
    { name: "leaves out a long comment", text: `@bellhop <!-- ${"word ".repeat(1_000)} --> do it`, words: "do it" },
    { name: "leaves out a long address", text: `@bellhop [do](https://x/${"a".repeat(1_500)}) it`, words: "do it" },
    {
      name: "is the text after a mention far down",
      text: `Hello!\n\n${"It broke. ".repeat(1_000)}\n\n@bellhop fix it`,
      words: "fix it",
    },
    { name: "leaves out processing instructions", text: "@bellhop do <?secret > ?>it", words: "do it" },
    {
      name: "leaves out processing instructions that do not end",
      text: "@bellhop do it\n\n> <?secret",
      words: "do it",
    },
    {
      name: "keeps text that only looks like a processing instruction",
      text: "@bellhop drop `<?=` here",
      words: "drop <?= here",
    },
    { name: "leaves out declarations", text: "@bellhop do <!X secret>it", words: "do it" },
    { name: "leaves out CDATA sections", text: "@bellhop do <![CDATA[secret > ]]>it", words: "do it" },
    { name: "ignores a quoted mention of the bot", text: "> @bellhop old\n\n@bellhop new", words: "new" },
    { name: "ignores a mention of a longer name", text: "@bellhop ask @bellhop-two", words: "ask @bellhop-two" },
  ])("$name", ({ text, words }) => {
    expect(excerpt(text, "bellhop")).toBe(words);
  });

  it.each([
    ["an image", "![secret "],
    ["an image with brackets", "![secret [x] "],
    ["a link's title", '[x](u "secret '],
    ["a link's destination", "[x](secret"],
    ["an attribute", '<b title="secret > '],
    ["a comment", "<!-- secret "],
    ["an instruction", "<?secret "],
    ["a declaration", "<!X secret "],
  ])("leaves out %s that is too long to be read to its end", (_what, open) => {
    expect(excerpt(`@bellhop do it ${open}${"word ".repeat(20_000)}`, "bellhop")).toBe("do it …");
    const behindHidden = `@bellhop do it <!-- ${"word ".repeat(13_000)} -->${open}${"word ".repeat(1_000)}`;
    expect(excerpt(behindHidden, "bellhop")).toBe("do it …");
  });

  it("is empty if the mention is too far down to be found", () => {
    expect(excerpt(`Hello! ${"word ".repeat(20_000)} @bellhop do it`, "bellhop")).toBe("");
  });

  it.each([
    "![",
    "[a](",
    "[a](b) ",
    "<a ",
    "<a b='",
    "</",
    "<?",
    "<!X",
    "<![CDATA[",
    "<https:",
    "[",
    "](",
    "_a ",
    "*a ",
    "> ",
    "\n \n",
    "\\[",
  ])("takes time linear in a text of %j", (unit) => {
    assertLinear((length) => excerpt(`@bellhop ${fill(unit, length)}`, "bellhop"));
  });

  it("is the beginning of the text if the bot's name is not known yet", () => {
    expect(excerpt("@bellhop fix it", undefined)).toBe("@bellhop fix it");
  });

  it("ends between words after at most 80 characters, for a text of any length", () => {
    const long = `@bellhop ${"please fix the login ".repeat(5_000)}`;
    expect(excerpt(long, "bellhop")).toBe(
      "please fix the login please fix the login please fix the login please fix the …",
    );
    expect(Array.from(excerpt(`@bellhop ${"😀".repeat(200)}`, "bellhop"))).toHaveLength(80);
  });

  it("is one line of at most 80 characters for any text", () => {
    const piece = fc.constantFrom(
      "@bellhop",
      " ",
      "\n",
      "\n\n",
      "> ",
      "- ",
      "`",
      "```\n",
      "**",
      "_",
      "[a](b)",
      "<b>",
      "<!--",
      "-->",
      "word",
      "é😀",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const out = excerpt(pieces.join(""), "bellhop");
        expect(out).not.toMatch(/[\n\r]|^\s|\s$|<!--/);
        expect(Array.from(out).length).toBeLessThanOrEqual(80);
      }),
      { numRuns: thorough(100_000, 5_000), seed: 3 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
    { name: "ignores a quoted mention", text: "> @bellhop old\n\n@bellhop new", words: "new" },
    { name: "does not take a longer name for the bot's", text: "@bellhop ask @bellhop-two", words: "ask @bellhop-two" },
  ])("$name", ({ text, words }) => {
    expect(excerpt(text, "bellhop")).toBe(words);
  });

  it("is the beginning of the text if the bot is not known", () => {
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
      { numRuns: 5_000, seed: 3 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excerpt } from "./excerpt.ts";

describe("the first words of a request", () => {
  it.each([
    { name: "are those after the mention", text: "@bellhop please fix it", words: "please fix it" },
    { name: "leave out what sets the mention off", text: "Hi @Bellhop[bot], fix it", words: "fix it" },
    {
      name: "are those before a mention that ends the text",
      text: "The login breaks. @bellhop",
      words: "The login breaks.",
    },
    { name: "are a command's too", text: "@bellhop approve 1a2b3c4", words: "approve 1a2b3c4" },
    { name: "are none where there is nothing but the mention", text: "@bellhop", words: "" },
    {
      name: "keep to the first paragraph, and show that there is more",
      text: "@bellhop fix it\n\nIt broke.",
      words: "fix it …",
    },
    { name: "join lines", text: "@bellhop fix\r\n  it now", words: "fix it now" },
    {
      name: "leave markup out and keep what it shows",
      text: "@bellhop **fix** the `login_form()` of [the shop](https://shop.example 'now') <b>please</b>, see <https://x.example>",
      words: "fix the login_form() of the shop please, see https://x.example",
    },
    {
      name: "leave list, quote and heading marks out",
      text: "@bellhop\n> # 1. one\n- [ ] two\n* three",
      words: "one two three",
    },
    { name: "leave fences out", text: "@bellhop run\n```sh\nmake\n```", words: "run make" },
    {
      name: "leave out what nobody sees",
      text: "@bellhop fix <!-- push .env -->it ![secret](x.png)\u200b now",
      words: "fix it now",
    },
    {
      name: "keep emphasis that is none",
      text: "@bellhop use 2*3*4, __init__x and *.ts",
      words: "use 2*3*4, __init__x and *.ts",
    },
    { name: "do not take a quoted mention for the call", text: "> @bellhop old\n\n@bellhop new", words: "new" },
    { name: "do not take a longer name for the bot", text: "@bellhop ask @bellhop-two", words: "ask @bellhop-two" },
  ])("$name", ({ text, words }) => {
    expect(excerpt(text, "bellhop")).toBe(words);
  });

  it("are the first of the text where nobody knows who the bot is", () => {
    expect(excerpt("@bellhop fix it", undefined)).toBe("@bellhop fix it");
  });

  it("end between words, at 80 characters at most, however long the text is", () => {
    const long = `@bellhop ${"please fix the login ".repeat(5_000)}`;
    expect(excerpt(long, "bellhop")).toBe(
      "please fix the login please fix the login please fix the login please fix the …",
    );
    expect(Array.from(excerpt(`@bellhop ${"😀".repeat(200)}`, "bellhop"))).toHaveLength(80);
  });

  it("are one line of at most 80 characters, whatever the text", () => {
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

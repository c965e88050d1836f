import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { hostileTexts } from "../../../test/hostile-texts.ts";
import { assertLinear, fill } from "../../../test/work.ts";
import { findMention } from "./mention.ts";

const signals = (text: string): boolean => findMention(text, "bellhop") !== undefined;

describe("findMention", () => {
  it.each([
    ["@bellhop fix this"],
    ["@BellHop fix this"],
    ["please, @bellhop, fix this"],
    ["(@bellhop)"],
    ["@bellhop: fix"],
    ["@bellhop's turn"],
    ["Thanks!\n\n@bellhop."],
    ["...@bellhop please"],
    ["@bellhop[bot] fix"],
    ["**@bellhop** fix"],
    ["- @bellhop fix"],
    ["1. first\n2. @bellhop second"],
    ["- item\n\n  @bellhop below the item"],
    ["# @bellhop heading"],
    ["> quoted\n\n@bellhop answer"],
    ["```\ncode\n```\n@bellhop after"],
    ["~~~\n```\n~~~\n@bellhop after"],
    ["`code` @bellhop"],
    ["` @bellhop one lonely backtick"],
    ["<!-- hidden --> @bellhop"],
    ["<!--\nhidden\n-->\n@bellhop"],
    ["[link](https://example.com) @bellhop"],
    ["[ ] @bellhop do it"],
    ["[@bellhop] do it"],
    ["2 < 3 @bellhop > 1"],
    ["<b>@bellhop</b>"],
    ["<details>\n\n@bellhop\n\n</details>"],
    ["`a``b` and @bellhop ``c`"],
    ["some text\n    @bellhop still the paragraph"],
    ["On Mon, 5 Jan 2026 at 10:00, Ada <ada@example.com> wrote:\n> old\n\n@bellhop answer below"],
    ["\r\n@bellhop\r\n"],
    ["first line\r@bellhop"],
    ["@other and @bellhop"],
    ["@bellhop-x and @bellhop"],
    ["日本語 @bellhop"],
    ["请@bellhop 修复"],
    ["@bellhop请修复"],
    ["@bellhopさん"],
    ["お願い@bellhop、直して"],
    ["@bellhopé"],
    ["@bellhop.请修复"],
    ["привет@bellhop"],
    ["> quoted\n> ```\n> code\n> ```\n@bellhop fix"],
    ["> # heading\n@bellhop fix"],
    [">\n@bellhop fix"],
    ["> ```\n> code\n@bellhop below the quote, which ends its fence"],
    ["- ```\n  code\n@bellhop below the item, which ends its fence"],
    ["[x]: https://e.com\n@bellhop below a definition"],
    ["[x]: https://e.com\n    @bellhop goes on with the paragraph"],
    ["[@bellhop]: please fix this"],
    ["[x]: please @bellhop"],
    ["words\n[x]: @bellhop"],
    ["[@bellhop] without\n\n[@bellhop-x]: https://e.com"],
    ['<b title="a > b">@bellhop</b>'],
    ["it's 2 <b and @bellhop isn't"],
    ['[a](b "t") @bellhop'],
    ["Title\n===\n@bellhop below a heading"],
    ["<!-- c -->\n@bellhop below a comment"],
    ["* * *\n@bellhop below a line"],
  ])("finds the mention in %j", (text) => {
    expect(signals(text)).toBe(true);
  });

  it.each([
    [""],
    ["bellhop"],
    ["@bell"],
    ["@bellhop-x fix"],
    ["@bellhops fix"],
    ["@bellhop_ fix"],
    ["@bellhop/team fix"],
    ["@bellhop.com"],
    ["a@bellhop.com"],
    ["a@bellhop"],
    ["é@bellhop"],
    ["请a@bellhop"],
    ["@bellhop-请"],
    ["@@bellhop"],
    ["@bellhop@example.com"],
    ["https://example.com/@bellhop"],
    ["https://example.com/?q=@bellhop"],
    ["\\@bellhop"],
    ["> @bellhop fix"],
    [">@bellhop fix"],
    ["  > @bellhop"],
    ["> quoted\n@bellhop goes on with the quote"],
    ["- > @bellhop quoted in a list"],
    ["`@bellhop fix`"],
    ["``a ` @bellhop``"],
    ["`over\n@bellhop lines`"],
    ["```\n@bellhop\n```"],
    ["```\n@bellhop never closed"],
    ["~~~ts\n@bellhop\n```\n@bellhop\n~~~"],
    ["````\n```\n@bellhop\n````"],
    ["- item\n  ```\n  @bellhop\n  ```"],
    ["    @bellhop in indented code"],
    ["\t@bellhop in indented code"],
    ["text\n\n    @bellhop in indented code"],
    ["- item\n\n      @bellhop code in the item"],
    ["<!-- @bellhop -->"],
    ["<!--\n\n@bellhop\n\n-->"],
    ["text <!-- a\n\n@bellhop --> b"],
    ["<!-- @bellhop never closed"],
    ["[@bellhop](https://example.com)"],
    ["[see @bellhop there][1]"],
    ["![@bellhop](a.png)"],
    ["[x](@bellhop)"],
    ["<https://example.com/ @bellhop>"],
    ['<img alt="@bellhop">'],
    ['<a href="x">@bellhop</a>'],
    ["<code>@bellhop</code>"],
    ["<pre>\n@bellhop\n</pre>"],
    ["<blockquote>\n\n@bellhop\n\n</blockquote>"],
    ["[//]: # (@bellhop fix this)"],
    ['[x]: https://e.com "@bellhop fix"'],
    ["[x]:\n  https://e.com\n  '@bellhop\n  fix'"],
    ["[y]: <a b>\n[x]: https://e.com (@bellhop fix)"],
    ["- item\n- [//]: # (@bellhop fix)"],
    ["# heading\n[//]: # (@bellhop fix)"],
    ["[@bellhop]: https://e.com\n\nsee [@bellhop]"],
    ["see [Ask  @BellHop]\n\n[ask @bellhop]: https://e.com"],
    ["```\n    ```\n@bellhop fix\n```"],
    ["```md\n1. step:\n\n    ```\n    @bellhop fix\n    ```\n```"],
    ["- ```\n      ```\n  @bellhop\n  ```"],
    ["> ```\n> > @bellhop\n> ```"],
    ["> > quoted\n@bellhop goes on with both quotes"],
    ["> - item\n@bellhop goes on with the item in the quote"],
    ['<img alt="a > @bellhop fix">'],
    ["<img alt = 'a > @bellhop fix' src=x>"],
    ["<a\n href='>'>@bellhop</a>"],
    ["<?x > @bellhop fix ?>"],
    ["<!-- c -->\n    @bellhop code"],
    ["<!--\n-->\n    @bellhop code"],
    ["Title\n===\n    @bellhop code"],
    ["Title\n-\n    @bellhop code"],
    ['[a](b "x) @bellhop y")'],
    ["[a](b 'x) @bellhop y')"],
    ["[a](<b) @bellhop c>)"],
    ['[a](b(c)d "t) @bellhop")'],
    ["done\n\n-- \n@bellhop"],
    ["done\n\n-----Original Message-----\n@bellhop fix"],
    ["ok\n\nOn Mon, 5 Jan 2026 at 10:00, Ada <ada@example.com> wrote:\n\n@bellhop fix"],
    ["ok\n\nOn Mon, 5 Jan 2026 at 10:00,\nAda <ada@example.com> wrote:\n\n@bellhop fix"],
    ["ok\n\nFrom: Ada\nSent: Monday\nTo: Bob\nSubject: x\n\n@bellhop fix"],
    ["ok\n\n—\nReply to this email directly, or view it on GitHub\n@bellhop"],
  ])("finds no mention in %j", (text) => {
    expect(signals(text)).toBe(false);
  });

  it("returns the text after the first mention, across lines", () => {
    expect(findMention("Hi\n> @bellhop no\n\n@Bellhop: stop\nplease\n", "bellhop")).toEqual({ words: "stop\nplease" });
    expect(findMention("- a\n- @bellhop retry\r\n\r\nthanks @bellhop", "bellhop")).toEqual({
      words: "retry\r\n\r\nthanks @bellhop",
    });
    expect(findMention("@bellhop请修复", "bellhop")).toEqual({ words: "请修复" });
    expect(findMention("@bellhop，修复", "bellhop")).toEqual({ words: "修复" });
  });

  it("returns the text before the mention on its line if nothing follows it", () => {
    expect(findMention("Hi all\ncan you help, @bellhop?", "bellhop")).toEqual({ words: "can you help," });
    expect(findMention("stop @Bellhop[bot]", "bellhop")).toEqual({ words: "stop" });
    expect(findMention("fix it\n\n@bellhop", "bellhop")).toEqual({ words: "" });
  });

  it("takes a name literally", () => {
    expect(findMention("@axc", "a.c")).toBeUndefined();
    expect(findMention("@a.c", "a.c")).toEqual({ words: "" });
    expect(findMention("@", "")).toBeUndefined();
  });
});

const runs = { numRuns: thorough(100_000), seed: 20_260_101 };
const piece = fc.constantFrom(
  "@bellhop",
  "@bellhop-x",
  "a@bellhop",
  " ",
  "\n",
  "\n\n",
  "    ",
  "\t",
  "> ",
  "- ",
  "1. ",
  "`",
  "```",
  "~~~",
  "<!--",
  "-->",
  "[",
  "]",
  "(",
  ")",
  "<",
  ">",
  "<a>",
  "</a>",
  "<code>",
  "\\",
  "*",
  "#",
  "-- ",
  "word",
  "é",
  "😀",
  "\r",
  "On 2026 wrote:",
  "From: x",
  '"',
  "=",
  "===",
  "]: ",
);
const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
const words = fc
  .array(fc.constantFrom("please", "look", "at", "this", "😀", "é", "2", "now."), { maxLength: 8 })
  .map((all) => all.join(" "));

describe("findMention, for any text", () => {
  it("never throws, and returns the text after the mention to its end, or before it on its line", () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 9, arbitrary: soup }, { weight: 1, arbitrary: fc.string({ maxLength: 80 }) }),
        (text) => {
          const { words: found = "" } = findMention(text, "bellhop") ?? {};
          const isBefore = text.split(/[\n\r]/).some((line) => line.trim().startsWith(found));
          expect(text.trim().endsWith(found) || isBefore).toBe(true);
        },
      ),
      runs,
    );
  });

  it("finds a mention between ordinary words, in any case", () => {
    fc.assert(
      fc.property(words, words, fc.constantFrom("@bellhop", "@BELLHOP", "@BellHop"), (before, behind, call) => {
        const expected = /[\p{L}\p{N}]/u.test(behind) ? behind : before;
        expect(findMention(`${before} ${call} ${behind}`, "bellhop")).toEqual({ words: expected.trim() });
      }),
      runs,
    );
  });

  it("finds no mention inside a quote, a fence or a comment", () => {
    // Replaces whole runs, so that the rest on both sides does not form a new end of a comment.
    const line = soup.map((text) => text.replaceAll(/[\r\n]/g, " ").replaceAll(/-+>+/g, ""));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.constantFrom("quote", "fence", "comment"), (lines, how) => {
        const whole = [...lines, "@bellhop"];
        const text = {
          quote: whole.map((one) => `> ${one}`).join("\n"),
          fence: `${"`".repeat(200)}\n${whole.join("\n")}\n${"`".repeat(200)}`,
          comment: `<!-- ${whole.join("\n")} -->`,
        }[how];
        expect(signals(text)).toBe(false);
      }),
      runs,
    );
  });

  it("finds no mention in a longer name or an address", () => {
    const letter = fc.constantFrom("a", "b", "X", "Z", "0", "9", "_", "é", "-", "@");
    fc.assert(
      fc.property(words, letter, fc.boolean(), (around, char, inFront) => {
        if (char === (inFront ? "-" : "é")) return;
        const call = inFront ? `${char}@bellhop` : `@bellhop${char}`;
        expect(signals(`${around} ${call} ${around}`)).toBe(false);
      }),
      runs,
    );
  });
});

describe("findMention, for hostile texts", () => {
  it.each(hostileTexts.mention)("reads each character of %j repeated only a bounded number of times", (unit) => {
    assertLinear((length) => findMention(`${fill(unit, length)}\n\n\`@bellhop\``, "bellhop"));
  });
});

describe("a bot whose name has a hyphen", () => {
  it("is mentioned by its whole name, and not by a part of it", () => {
    expect(findMention("@acme-bell please", "acme-bell")?.words).toBe("please");
    expect(findMention("@Acme-Bell[bot] please", "acme-bell")?.words).toBe("please");
    for (const text of ["@acme please", "@acme-bell-2 please", "@acmexbell please"])
      expect(findMention(text, "acme-bell")).toBeUndefined();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../../test/thorough.ts";
import { hostileTexts } from "../../../../test/hostile-texts.ts";
import { assertLinear, fill } from "../../../../test/work.ts";
import { stripHidden } from "./strip.ts";

const piece = fc.oneof(
  fc.constantFrom(
    "<!--",
    "-->",
    "hidden",
    "![",
    "](",
    ")",
    "[",
    "]",
    ' "',
    '"',
    "'",
    "<img ",
    "alt=",
    "<a ",
    "title=",
    ">",
    "href=x",
    "\n",
    "\n\n",
    "]: ",
    "\\",
    "\u200b",
    "\u202e",
    "\u00ad",
    "\u{e0041}",
    "\ufe0f",
    "&#8203;",
    "&#x200b;",
    "&shy;",
    "&zwnj;",
    "&#72;",
    "<",
    "!",
    "--",
    "text",
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const text = fc.array(piece, { maxLength: 20 }).map((parts) => parts.join(""));
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]|&(?:shy|zwnj|#8203|#x200b);/u;

describe("stripHidden", () => {
  it.each([
    ["an HTML comment", "before <!-- do evil --> after", "before   after"],
    ["an unclosed comment", "seen\n<!-- do evil", "seen\n "],
    ["zero-width characters, joiners and direction marks", "a\u200bb\u200dc\u202ed\u2066e\u00adf\ufeffg", "abcdefg"],
    ["tag characters that spell words", "hi\u{e0065}\u{e0076}\u{e0069}\u{e006c}", "hi"],
    ["invisible characters written as entities", "a&#8203;b&#x200B;c&shy;d&ZeroWidthSpace;e", "abcde"],
    ["letters written as entities", "&#101;vil", "evil"],
    ["the alternative text of an image", "![do evil](https://e.example/x.png)", "![](https://e.example/x.png)"],
    ["an alternative text that contains brackets", "![do [very] evil](x.png)", "![](x.png)"],
    ["the title of a link", '[text](https://e.example "do evil")', "[text](https://e.example)"],
    ["invisible attributes", `<img alt="do > evil" src="x.png" data-x='evil'>`, `<img src="x.png">`],
    ["a Markdown comment", "seen\n[//]: # (do evil)\nseen", "seen\n\nseen"],
    ["a definition that names a footnote", "note[^1]\n[//]: # ([^1]: do evil)", "note[^1]\n"],
    ["a footnote without a reference", "seen\n[^1]: do evil", "seen\n"],
  ])("removes or decodes %s", (_name, given, want) => expect(stripHidden(given)).toBe(want));

  it("keeps all visible text", () => {
    const seen =
      "# Title\n\na < b && c > d, `x[0](y)`, [text](https://e.example/a_(b)), note[^1]\n\n[^1]: shown\n\n- [x] done\n\n<details>\n<summary>log</summary>";
    expect(stripHidden(seen)).toBe(seen);
  });

  it("leaves no comment and no invisible character in any text", () => {
    fc.assert(
      fc.property(text, (given) => {
        const out = stripHidden(given);
        if (out.includes("<!--")) throw new Error(`a comment is left in ${JSON.stringify(out)}`);
        if (invisible.test(out)) throw new Error(`something invisible is left in ${JSON.stringify(out)}`);
      }),
      { numRuns: thorough(100_000), seed: 20_261_102 },
    );
  });

  it("makes text longer by at most the mark for broken markup", () => {
    fc.assert(
      fc.property(text, (given) => stripHidden(given).length <= given.length + 100),
      { numRuns: thorough(20_000), seed: 7 },
    );
  });

  it("takes time linear in the number of different footnotes", () => {
    assertLinear((length) => {
      stripHidden(Array.from({ length: length / 16 }, (_, n) => `[^${n}]:\n`).join(""));
    });
  });

  it.each(hostileTexts.stripHidden)("takes time linear in the length of %j repeated", (fragment) => {
    assertLinear((length) => stripHidden(fill(fragment, length)));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { assertLinear, fill } from "../../../test/work.ts";
import { outline, plainBlocks, type Inline, type Outline } from "./outline.ts";

const bounds = { maxBytes: 60_000, maxNodes: 2_000 };
const read = (text: string): Outline["blocks"] => outline(text, bounds).blocks;
const paragraph = (...inline: Inline[]) => ({ type: "paragraph", inline });

describe("blocks of an outline", () => {
  it("separates paragraphs at blank lines and keeps line ends", () => {
    expect(read("a\nb\r\n\n  c")).toEqual([paragraph({ text: "a\nb" }), paragraph({ text: "c" })]);
  });

  it("reads headings, quotes and code", () => {
    expect(read("# One #1\n> two\n> > three\n```js\n*x*\n```\nfour")).toEqual([
      { type: "heading", inline: [{ text: "One #1" }] },
      { type: "quote", inline: [{ text: "two\nthree" }] },
      { type: "code", text: "*x*" },
      paragraph({ text: "four" }),
    ]);
  });

  it("reads code that nothing ends, to the end", () => {
    expect(read("~~~\na\n```\nb")).toEqual([{ type: "code", text: "a\n```\nb" }]);
  });

  it("leaves out rules and underlines", () => {
    expect(read("Title\n===\n\n---\n* * *\nend")).toEqual([paragraph({ text: "Title" }), paragraph({ text: "end" })]);
  });

  it("reads lists with their depth, at most three, and their tasks", () => {
    expect(read("- a\n  more\n  1. b\n     - c\n       - d\n- [x] e\n- [ ] f\n\n- g\n\nend")).toEqual([
      {
        type: "list",
        items: [
          { ordered: false, depth: 0, inline: [{ text: "a\nmore" }] },
          { ordered: true, depth: 1, inline: [{ text: "b" }] },
          { ordered: false, depth: 2, inline: [{ text: "c" }] },
          { ordered: false, depth: 2, inline: [{ text: "d" }] },
          { ordered: false, depth: 0, inline: [{ text: "☑ e" }] },
          { ordered: false, depth: 0, inline: [{ text: "☐ f" }] },
          { ordered: false, depth: 0, inline: [{ text: "g" }] },
        ],
      },
      paragraph({ text: "end" }),
    ]);
  });

  it("gives the plain text of its blocks", () => {
    expect(plainBlocks(outline("# a *b*\n- c\n- d\n```\ne\n```", bounds))).toEqual(["a b", "c d", "e"]);
  });
});

describe("text of an outline", () => {
  it.each<[string, Inline[]]>([
    ["a **b** c", [{ text: "a " }, { text: "b", bold: true }, { text: " c" }]],
    ["***a***", [{ text: "a", bold: true, italic: true }]],
    ["*a **b***", [{ text: "*a **b***" }]],
    ["_a_ __b__", [{ text: "a", italic: true }, { text: " " }, { text: "b", bold: true }]],
    ["~~a~~", [{ text: "a", strike: true }]],
    ["snake_case_name 2*3*4", [{ text: "snake_case_name 2" }, { text: "3", italic: true }, { text: "4" }]],
    ["a * b *", [{ text: "a * b *" }]],
    ["`*a*` ``b`c``", [{ text: "*a*", code: true }, { text: " " }, { text: "b`c", code: true }]],
    ["`a", [{ text: "`a" }]],
    [String.raw`\*a\* \d`, [{ text: String.raw`*a* \d` }]],
    ["[a **b**](https://x.example)", [{ text: "a " }, { text: "b", bold: true }, { text: " (https://x.example)" }]],
    ["![a](https://x.example/p.png)", [{ text: "a (https://x.example/p.png)" }]],
    ["[a] [b](c d)", [{ text: "[a] [b](c d)" }]],
    ["<b onclick=x>a</b> <!-- c -->", [{ text: "<b onclick=x>a</b> <!-- c -->" }]],
    ["*a **b* c**", [{ text: "a **b", italic: true }, { text: " c**" }]],
  ])("reads %j", (text, inline) => {
    expect(read(text)).toEqual([{ type: "paragraph", inline }]);
  });
});

describe("bounds of an outline", () => {
  it("cuts a text that is too long, between characters", () => {
    const cut = outline("€€€€", { maxBytes: 7, maxNodes: 10 });
    expect(cut).toEqual({ blocks: [paragraph({ text: "€€" })], isCut: true });
    expect(outline("€€", { maxBytes: 6, maxNodes: 10 }).isCut).toBe(false);
  });

  it("has no more nodes than permitted, for any text", () => {
    const piece = fc.constantFrom(
      ..."a|*|**|_|~~|`|```\n|\n|\n\n|- |  - |1. |# |> |[|](|)|![|\\|<b>|☑|[x] |---\n|\t".split("|"),
      "|",
    );
    const nodesOf = ({ blocks }: Outline): number =>
      blocks.reduce((sum, block) => {
        if (block.type === "code") return sum + 1;
        const parts = block.type === "list" ? block.items : [block];
        return sum + parts.length + parts.reduce((pieces, { inline }) => pieces + inline.length, 0);
      }, 0);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (pieces, maxNodes) => {
        const text = pieces.join("");
        const found = outline(text, { maxBytes: 10_000, maxNodes });
        // One block may be added after the last node of its text.
        expect(nodesOf(found)).toBeLessThanOrEqual(maxNodes + 2);
        const whole = outline(text, { maxBytes: 10_000, maxNodes: 100_000 });
        expect(whole.isCut).toBe(false);
        for (const { items } of whole.blocks.filter((block) => block.type === "list"))
          for (const { depth } of items) expect(depth).toBeLessThanOrEqual(2);
      }),
      { numRuns: thorough(100_000, 3_000), seed: 11 },
    );
  });

  it.each([
    "a",
    "*",
    "**",
    "*a ",
    "_a",
    "a_ ",
    "*a **b _c ~~d ",
    "`",
    "` ``",
    "```\n",
    "[",
    "[](",
    "](",
    "](a",
    "![",
    "[a](b)",
    "- ",
    "- a\n",
    " - a\n",
    "\t",
    "  ",
    "> ",
    "# ",
    "1. a\n\n",
    "\\",
    "\\[",
    "\n",
    "\r",
    "---\n",
    "= ",
    "~",
    "<",
    "😀",
  ])("takes time linear in a text of %j", (unit) => {
    assertLinear((length) => outline(fill(unit, length), { maxBytes: length, maxNodes: length }));
  });

  it("takes time linear in code that begins with a space and does not end with one", () => {
    const code = (length: number): string => `\` ${fill("a", length)}\``;
    assertLinear((length) => outline(code(length), { maxBytes: length + 3, maxNodes: length }));
  });
});

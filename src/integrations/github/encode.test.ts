import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { hostileTexts } from "../../../test/hostile-texts.ts";
import { assertLinear, fill } from "../../../test/work.ts";
import { encoder } from "./encode.ts";

const encode = encoder("github.com");
const runs = { numRuns: thorough(100_000), seed: 20_261_101 };

/** Fragments that act on GitHub, alone or combined. */
const hostile = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(..."@ ! [ ] ( ) < > & # : / \\ ` ~ * _ \n - . ' \" = ; $ |".split(" "), " ", "\n"),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "octocat",
      "acme/owners",
      "fixes",
      "Closes",
      "RESOLVED",
      "fix",
      "#42",
      "GH-7",
      "acme/shop#1",
      "https://github.com/acme/shop/issues/5",
      "https://github.com/",
      "http://evil.example/x.png",
      "https://github.com.evil.example/",
      "www.evil.example",
      "![x](",
      "[x](",
      "](",
      "]: ",
      "<img src=x>",
      "<!--",
      "-->",
      "bellhop:",
      "</details>",
      "&commat;",
      "&#64;",
      "&lt;",
      "&#x3c;",
      "&ZeroWidthSpace;",
      "\u200b",
      "\u2060",
      "\u00ad",
      "/approve",
      "/lgtm",
      "[skip ci]",
      "skip-checks: true",
      "Co-authored-by: x",
      "```",
      "~~~",
      "```mermaid",
      "javascript:",
      "mailto:a@b.c",
      "\r",
      "\ud800",
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
);
const text = fc.array(hostile, { maxLength: 14 }).map((parts) => parts.join(""));

const liveMention = /@[A-Za-z0-9]/;
const liveImage = /!\[/;
const liveTag = /<[A-Za-z/!?]/;
const liveEntity = /&#?[A-Za-z0-9]+;/;
const liveClosing =
  /(?:^|[^a-z0-9])(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?):?\s+(?:#\d|gh-\d|[\w.-]+\/[\w.-]+#\d|https?:\/\/\S+\/(?:issues|pull)\/\d)/i;
const liveCommand = /^\s*\/[a-z]/im;
const liveAddress = /(?:https?:\/\/(?!github\.com(?:[/\s)]|$))|www\.)/i;
const liveLink = /\](?:\[|:|\((?!https:\/\/github\.com\/))/;

describe("encode", () => {
  it("leaves no mention, image, closing keyword, command or foreign link working in any text", () => {
    fc.assert(
      fc.property(text, (given) => {
        const out = encode(given);
        for (const live of [
          liveMention,
          liveImage,
          liveTag,
          liveEntity,
          liveClosing,
          liveCommand,
          liveAddress,
          liveLink,
        ]) {
          if (live.test(out)) throw new Error(`${String(live)} lives in ${JSON.stringify(out)}`);
        }
      }),
      runs,
    );
  });

  it("does not change its own output", () => {
    fc.assert(
      fc.property(text, (given) => encode(encode(given)) === encode(given)),
      { ...runs, numRuns: thorough(20_000) },
    );
  });

  it("never returns more bytes than allowed or half a character", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(hostile, fc.constantFrom("é", "漢", "😀")), { maxLength: 60 }),
        fc.integer({ min: 0, max: 120 }),
        (parts, maxBytes) => {
          const out = encode(parts.join(""), { maxBytes });
          return Buffer.byteLength(out) <= maxBytes && !out.includes("\ufffd");
        },
      ),
      { ...runs, numRuns: thorough(20_000) },
    );
  });

  it("does not change ordinary Markdown", () => {
    const plain =
      "## What changed\n\n- **login** now trims spaces\n- see `src/login.ts`\n\n```ts\nconst a = b < c && d;\n```\n\nPart of #42.";
    expect(encode(plain)).toBe(plain);
  });

  it("breaks a closing keyword at any distance before its reference", () => {
    for (const between of [" ".repeat(45), `:${"\n".repeat(60)}`, " ** ".repeat(500)])
      expect(encode(`fixes${between}#42`)).toBe(`fi\u200bxes${between}#42`);
  });

  it("keeps links to the code host, and turns others into text that shows their address", () => {
    expect(encode("[diff](https://github.com/acme/shop/pull/7)")).toBe("[diff](https://github.com/acme/shop/pull/7)");
    expect(encode("[diff](https://evil.example/)")).toBe("[diff]\u200b(https:\u200b//evil.example/)");
    expect(encode("https://github.com@evil.example/ ")).not.toContain("https://");
  });

  it("does not change what a person sees", () => {
    const given = "@octocat fixes #42 <b>now</b> ![x](https://evil.example/x.png)";
    expect(encode(given).replaceAll("\u200b", "")).toBe(given);
  });

  it("closes an open code fence, so that our text after it is not code", () => {
    expect(encode("```js\nlet a;")).toBe("```js\nlet a;\n```");
    // A fence in a list ends with the list. A fence at the margin would open a new one that contains our text.
    expect(encode("Ran:\n- ```\n  npm test\n  ```\nAll good.")).toBe("Ran:\n- ```\n  npm test\n  ```\nAll good.");
    expect(encode(`~~~~\n${"x".repeat(500)}`, { maxBytes: 200 })).toMatch(
      /\n~~~~\n\n… \(cut: too long to show here\)$/,
    );
  });

  it.each(hostileTexts.encode)("takes time linear in the length of %j repeated", (piece) => {
    assertLinear((length) => encode(fill(piece, length), { maxBytes: length }));
  });

  it.each(hostileTexts.encodeAfterFixes)("takes time linear in the number of %j after a closing keyword", (blank) => {
    assertLinear((length) => encode(`fixes${fill(blank, length)}`, { maxBytes: length }));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { quoter } from "./encode.ts";

const quote = quoter("github.com");
const url = "https://github.com/acme/shop/issues/42#issuecomment-7001";
const pieces =
  "@ # [ ] ( ) < > & : / \\ ` ``` ~~ * ** _ __ ! | $ $$ ” “ ' \" = ; - . , \n \r \t \u2028 \u200b \u202e \u2066 \u0301 é א octocat acme/owners fixes Closes #42 GH-7 ABC-123 AB1-23 :shipit: acme/shop#1 deadbeef1 https://github.com/acme/shop/issues/5 https://evil.example www.evil.example ![x]( [x]( ](https://evil.example) <img/> <!-- --> &commat; &#64; /approve [ci skip] ${ \\phantom{ a@b.example javascript: :x:"
    .split(" ")
    .concat(" ");
const hostile = fc
  .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, fc.string({ unit: "binary", maxLength: 4 })), {
    maxLength: 14,
  })
  .map((parts) => parts.join(""));

/** Text that GitHub acts on after it has rendered the Markdown, and text that leaves the line or the quotation. */
const live = [
  /[\n\r\u2028\u2029]/,
  /@[A-Za-z0-9]/,
  /#[A-Za-z0-9]/,
  /[#.\-_+=:/][A-Za-z0-9]/,
  /[A-Za-z]\d/,
  /:[_+-]*[A-Za-z0-9][\w+-]*:/, // GitHub has no emoji whose name lacks letters and digits
  /:\/\//,
  /www\./i,
  /[0-9a-f]{7}/i,
  /\b(?:close|fix|resolve)(?:[sd]|es|ed)?:?\s+#[^A-Za-z0-9]*\d/i,
  /[`$“”]/,
  /[\u200c-\u200f\u202a-\u202e\u2066\u2067]/,
];
const escaped = /\\([!-/:-@[-`{-~])/g;
const inside = (quotation: string): string => quotation.slice(1, -1);
const shown = (quotation: string): string => inside(quotation).replace(escaped, "$1");

describe("quote", () => {
  it("lets no text act, end the quotation or leave the line", () => {
    fc.assert(
      fc.property(hostile, (words) => {
        const out = quote(words);
        expect([out.at(0), out.at(-1)]).toEqual(["“", "”"]);
        expect(live.filter((pattern) => pattern.test(shown(out)))).toEqual([]);
        expect(inside(out).replace(escaped, "")).not.toMatch(/[\\*_[\]<>&~!|]/);
        expect(quote(words, url)).toBe(`[${out}](${url})`);
      }),
      { numRuns: thorough(100_000, 3_000), seed: 20_261_102 },
    );
  });

  it("does not change what a person sees", () => {
    const words = "fix `foo_bar()` & <Form> in *.ts, see #42 and https://x.example [now] for @ana!";
    expect(shown(quote(words)).replaceAll("\u200b", "")).toBe(words.replaceAll("`", "'"));
  });

  it("is at most 80 characters long", () => {
    expect(quote("é".repeat(500))).toBe(`“${"é".repeat(79)}…”`);
  });

  it.each([
    ["Hebrew", "תקן את זה"],
    ["Arabic", "أصلح هذا"],
    ["Samaritan", "\u0800\u0801"],
    ["Mandaic", "\u0840\u0841"],
    ["Phoenician", "\u{10900}\u{10901}"],
    ["Mende Kikakui", "\u{1e800}"],
    ["Arabic punctuation, which is of no script,", "fix\u061b"],
  ])("isolates words in %s from the rest of the line", (_script, words) => {
    expect(quote(words)).toBe(`“\u2068${words}\u2069”`);
  });

  it("does not count the isolating characters towards the maximum length", () => {
    expect(quote("א".repeat(80))).toBe(`“\u2068${"א".repeat(80)}\u2069”`);
  });

  it.each([
    ["an emoji", ":shipit:", ":\u200bshipit:"],
    ["an emoji with a sign", ":+1:", ":+\u200b1:"],
    ["a ticket", "AB-23", "AB-\u200b23"],
    ["a ticket whose prefix ends in a digit", "AB1-23", "AB\u200b1-\u200b23"],
    ["a ticket with letters", "AB-x2", "AB-\u200bx\u200b2"],
    ["a ticket without a mark", "AB23", "AB\u200b23"],
  ])("makes %s harmless", (_what, words, out) => {
    expect(quote(words)).toBe(`“${out}”`);
  });

  it.each([
    "http://github.com/acme/shop/issues/42",
    "https://evil.example/github.com/",
    "https://github.com.evil.example/",
    "https://github.com@evil.example/",
    "https://github.com/a)](https://evil.example/",
    "https://github.com/a b",
    'https://github.com/a"title"',
    "javascript:alert(1)",
    "",
  ])("does not link to anything but a page of the code host: %s", (elsewhere) => {
    expect(quote("fix it", elsewhere)).toBe("“fix it”");
  });

  it("links to a server with a port", () => {
    const page = "https://ghes.internal:8443/a/b/issues/1";
    expect(quoter("ghes.internal:8443")("fix it", page)).toBe(`[“fix it”](${page})`);
  });
});

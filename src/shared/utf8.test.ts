import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { cutBytes, utf8Prefix, utf8Suffix } from "./utf8.ts";

describe("a text cut to bytes", () => {
  it("is unchanged if it fits, and ends with the mark if not", () => {
    expect(cutBytes("€€", 6, "…")).toBe("€€");
    expect(cutBytes("€€€", 8, "…")).toBe("€…");
    expect(cutBytes("ab😀", 5, "")).toBe("ab");
  });

  it("has at most the given number of bytes and no split character, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(64), (text, max) => {
        const cut = cutBytes(text, max + 3, "…");
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max + 3);
        const [start, end] = [utf8Prefix(text, max), utf8Suffix(Buffer.from(text), max)];
        for (const part of [start, end]) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(max);
        expect(text.toWellFormed().startsWith(start)).toBe(true);
        expect(text.toWellFormed().endsWith(end)).toBe(true);
        expect(Buffer.byteLength(text) - Buffer.byteLength(start) < 4 || Buffer.byteLength(start) > max - 4).toBe(true);
      }),
      { numRuns: thorough(10_000), seed: 7 },
    );
  });
});

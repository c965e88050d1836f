import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { assertLinear, fill } from "../../../test/work.ts";
import { compileRule } from "../cel.ts";
import { maxPatternCost } from "./compile.ts";
import { patternCost } from "./text-methods.ts";

const inRule = (pattern: string): string => `event.text.matches('${pattern.replaceAll("\\", "\\\\")}')`;

describe("patternCost", () => {
  const piece = fc.constantFrom(
    ..."a b . ^ $ \\b \\d \\pL \\x{1000} \\Qa{9}\\E [a-c] [^]a] [[:alpha:]_] | é 😀".split(" "),
    ..."(?i) (?: ( (?P<n> ) ) ) * + ? *? {3} {0} {0,7} {4,} {2,5}?".split(" "),
  );
  const pattern = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(""));

  it("is never less than the size of the compiled program", { timeout: 60_000 }, () => {
    let compiled = 0;
    fc.assert(
      fc.property(pattern, (text) => {
        const cost = patternCost(text);
        if (cost > maxPatternCost) return;
        const size = programSize(text);
        compiled += size === undefined ? 0 : 1;
        expect((size ?? 0) - 2).toBeLessThanOrEqual(cost);
      }),
      { numRuns: 4_000, seed: 7 },
    );
    expect(compiled).toBeGreaterThan(400);
  });

  it.each(["[", "[:", "[[:", "(", "(?", "\\Q", "{1", "\\x{", "\\p{", "[a-"])(
    "takes time linear in the length of repeated %j",
    (unit) => assertLinear((length) => patternCost(fill(unit, length))),
  );
});

function programSize(text: string): number | undefined {
  try {
    return RE2JS.compile(text).programSize();
  } catch {
    return undefined; // not every generated text is a valid pattern
  }
}

describe("a hostile pattern", () => {
  it.each([
    ["consecutive counts", "a{1000}".repeat(280)],
    ["nested counts", "((a{30}){30})".repeat(100)],
    ["nested counts without an upper limit", "(?:(?:a{30,}){30,}){2,}"],
    ["Unicode classes, case-insensitive", `(?i)${"\\pL|".repeat(400)}a`],
    ["Unicode classes in sets", `[${"\\pL".repeat(200)}]`],
    ["wide ranges, case-insensitive", `(?i)${"[Ā-\u{1e940}]".repeat(200)}`],
    ["wide ranges of escape sequences", `(?i)${"[\\x{100}-\\x{1e940}]".repeat(60)}`],
    ["wide ranges in one set", `(?i)[${"Ā-\u{1e940}".repeat(200)}]`],
  ])("with %s is rejected before it is compiled", (_what, pattern) => {
    const compile = vi.spyOn(RE2JS, "compile");
    onTestFinished(() => compile.mockRestore());
    const rule = compileRule(inRule(pattern));
    expect(rule).toMatchObject({
      ok: false,
      reason: "RuleTooExpensive",
      message: expect.stringContaining("matches()"),
    });
    expect(compile).not.toHaveBeenCalled();
  });

  it("is rejected if all patterns of a rule together cost too much", () => {
    const one = inRule("a{1000}");
    expect(compileRule(one)).toMatchObject({ ok: true });
    expect(compileRule([one, one, one].join(" || "))).toMatchObject({ ok: false, reason: "RuleTooExpensive" });
  });

  it("does not affect common patterns", () => {
    for (const pattern of [
      "(?i)^please\\s+(fix|repair)\\b",
      "[А-Яа-яЁё]{1,200}",
      "[\\pL\\pN_-]+@[\\pL\\pN.]{2,64}",
      "[\\x00-\\x1f]",
    ])
      expect(compileRule(inRule(pattern))).toMatchObject({ ok: true });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasMoreValues } from "./has-more-values.ts";

/** Counts every value, and each list or map once more. */
function valuesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  const inside = Object.values(value).reduce<number>((sum, one) => sum + valuesOf(one), 0);
  return 1 + Math.max(1, inside);
}

describe("hasMoreValues", () => {
  it("counts the values of any JSON, whatever its strings contain", () => {
    const tricky = fc.constantFrom(",,,", "[{", '"', "\\", '\\"', "é,");
    const json = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, true, 1),
        tricky,
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(tricky, tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(json, (any) => {
        const value = [any, 1, 1];
        const bytes = Buffer.from(JSON.stringify(value).padEnd(2_000));
        const values = valuesOf(value);
        expect(hasMoreValues(bytes, values)).toBe(false);
        expect(hasMoreValues(bytes, Math.floor(values / 2) - 1)).toBe(true);
      }),
      { numRuns: 5_000, seed: 3 },
    );
  });
});

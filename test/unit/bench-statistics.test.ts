import { describe, expect, it } from "vitest";
import { rounds, spread } from "../bench/statistics.ts";

describe("spread", () => {
  it("names the median, the minimum and the maximum, in any order of the values", () => {
    expect(spread([30, 4, 5], 1)).toBe("median 5.0 (4.0 to 30.0)");
  });
});

describe("rounds", () => {
  it("measures the sides in alternating order, and leaves out the warm-up round", async () => {
    const calls: string[] = [];
    const side = (name: string) => (round: number) => calls.push(`${name}${round}`);
    const results = await rounds(2, { ours: side("ours"), bare: side("bare") }, () => {});
    expect(calls).toEqual(["ours0", "bare0", "bare1", "ours1", "ours2", "bare2"]);
    expect(results).toEqual([
      { bare: 3, ours: 4 },
      { ours: 5, bare: 6 },
    ]);
  });
});

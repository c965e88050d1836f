import { describe, expect, it } from "vitest";
import { rounds, spread } from "../bench/statistics.ts";

describe("spread", () => {
  it("names the median, the least and the greatest, whatever their order", () => {
    expect(spread([30, 4, 5], 1)).toBe("median 5.0 (4.0 to 30.0)");
  });
});

describe("rounds", () => {
  it("measures the sides in an order that alternates, and leaves out the round that warms up", async () => {
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

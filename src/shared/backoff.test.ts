import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../test/thorough.ts";
import { delayMs } from "./backoff.ts";

describe("delayMs", () => {
  it("doubles from the base to the maximum", () => {
    const delays = [1, 2, 3, 4, 5, 6].map((failures) => delayMs({ baseMs: 100, maxMs: 1_000 }, failures));
    expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it("subtracts at most the jitter", () => {
    expect(delayMs({ baseMs: 100, maxMs: 1_000, jitter: 0.5, random: () => 0.999_999 }, 2)).toBe(100);
    expect(delayMs({ baseMs: 100, maxMs: 1_000, jitter: 0.5, random: () => 0 }, 2)).toBe(200);
  });

  it("stays between 0 and the maximum for any number of failures", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, jitter) => {
        const delay = delayMs({ baseMs: 5, maxMs: 300_000, jitter }, failures);
        return delay >= 0 && delay <= 300_000;
      }),
      { seed: 8, numRuns: thorough(10_000) },
    );
  });
});

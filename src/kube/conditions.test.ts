import { describe, expect, it } from "vitest";
import { conditionsEqual, findCondition, setCondition } from "./conditions.ts";

const noon = new Date("2026-01-01T12:00:00.123Z");
const later = new Date("2026-01-01T13:00:00Z");
const ready = { type: "Ready", status: "True", reason: "Ok", message: "All is well.", observedGeneration: 1 } as const;

describe("conditions", () => {
  it("adds one with the current time, in whole seconds as in the API server", () => {
    expect(setCondition(undefined, ready, noon)).toEqual([{ ...ready, lastTransitionTime: "2026-01-01T12:00:00Z" }]);
  });

  it("keeps the time of the last transition while the status stays", () => {
    const before = setCondition([], ready, noon);
    const after = setCondition(before, { ...ready, reason: "Better", observedGeneration: 2 }, later);
    expect(after).toMatchObject([
      { reason: "Better", observedGeneration: 2, lastTransitionTime: "2026-01-01T12:00:00Z" },
    ]);
    expect(before[0]?.reason).toBe("Ok");
  });

  it("updates the time when the status changes", () => {
    const after = setCondition(setCondition([], ready, noon), { ...ready, status: "False" }, later);
    expect(after[0]?.lastTransitionTime).toBe("2026-01-01T13:00:00Z");
  });

  it.each(["x".repeat(4096), "ü".repeat(2048)])("does not truncate a message of the maximum length", (message) => {
    expect(setCondition([], { ...ready, message }, noon)[0]?.message).toBe(message);
  });

  it.each(["x", "ü", "漢", "😀"])(
    "cuts a message that is too long between characters, and shows it: %s",
    (character) => {
      const message = character.repeat(5000);
      const kept = setCondition([], { ...ready, message }, noon)[0]?.message ?? "";
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(4096);
      expect(Buffer.byteLength(kept)).toBeGreaterThan(4096 - 7);
      expect(kept).toMatch(new RegExp(`^(${character})+…$`, "u"));
    },
  );

  it("keeps the others and their order", () => {
    const stalled = { ...ready, type: "Stalled" };
    const both = setCondition(setCondition([], ready, noon), stalled, noon);
    expect(setCondition(both, { ...ready, reason: "New" }, later).map(({ type }) => type)).toEqual([
      "Ready",
      "Stalled",
    ]);
    expect(findCondition(both, "Stalled")?.type).toBe("Stalled");
    expect(findCondition(both, "Gone")).toBeUndefined();
  });

  it("compares in any order, and compares each field", () => {
    const one = setCondition([], ready, noon);
    const two = setCondition(one, { ...ready, type: "Stalled" }, noon);
    expect(conditionsEqual(two, two.toReversed())).toBe(true);
    expect(conditionsEqual(undefined, [])).toBe(true);
    expect(conditionsEqual(one, two)).toBe(false);
    for (const other of [{ reason: "X" }, { message: "X" }, { status: "False" as const }, { observedGeneration: 9 }]) {
      expect(conditionsEqual(one, setCondition([], { ...ready, ...other }, noon))).toBe(false);
    }
    expect(conditionsEqual(one, setCondition([], ready, later))).toBe(false);
  });
});

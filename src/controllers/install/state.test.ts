import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import { checkState, isBrowser, newBrowser, newState } from "./state.ts";

const now = new Date("2026-11-28T12:00:00Z");
const key = "a key";
const binding = { uid: "5b1f", browser: newBrowser() };
const state = newState(key, binding, now);

describe("the state of an installation", () => {
  it("is accepted for ten minutes", () => {
    const after = (ms: number): Date => new Date(now.getTime() + ms);
    expect(checkState(key, binding, state, after(599_000))).toMatchObject({
      ok: true,
      until: "2026-11-28T12:10:00.000Z",
    });
    expect(checkState(key, binding, state, after(600_000))).toEqual({ ok: false, reason: "Expired" });
  });

  it.each([
    ["another key", "another key", binding],
    ["no key", "", binding],
    ["another integration", key, { ...binding, uid: "5b20" }],
    ["another browser", key, { ...binding, browser: newBrowser() }],
  ])("is refused with %s", (_name, otherKey, other) => {
    expect(checkState(otherKey, other, state, now)).toEqual({ ok: false, reason: "Mismatch" });
  });

  it("is refused without a key, also if it was signed without one", () => {
    expect(checkState("", binding, newState("", binding, now), now)).toEqual({ ok: false, reason: "Mismatch" });
  });

  it("is refused with any character changed, and any other text is refused", () => {
    const changed = fc
      .tuple(fc.nat({ max: state.length - 1 }), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }))
      .map(([at, by]) => state.slice(0, at) + by + state.slice(at + 1));
    const other = fc.oneof(
      changed,
      fc.string({ unit: "binary", maxLength: 120 }),
      fc.stringMatching(/^\d{1,14}\.\S{22}\.\S{43}$/),
    );
    fc.assert(
      fc.property(other, (text) => {
        const { ok } = checkState(key, binding, text, now);
        return ok === (text === state);
      }),
      { numRuns: thorough(100_000, 2_000), seed: 20_261_128 },
    );
  });
});

describe("the value of a browser's cookie", () => {
  it("has the form that is checked, and another text has not", () => {
    expect(isBrowser(newBrowser())).toBe(true);
    for (const text of [undefined, "", "a".repeat(42), `${"a".repeat(43)}\n`, "ä".repeat(43)])
      expect(isBrowser(text)).toBe(false);
  });
});

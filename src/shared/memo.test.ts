import { describe, expect, it } from "vitest";
import { FakeClock } from "./fake-clock.ts";
import { createMemo } from "./memo.ts";

const ttlMs = 10_000;

/** A cache; each `load` returns how often it was called, or what `answers` has for that call. */
function aMemo(answers: (() => Promise<number | undefined>)[] = []) {
  const clock = new FakeClock(new Date(0));
  const memo = createMemo<number | undefined>(clock, ttlMs);
  let loads = 0;
  const ask = (key = "k") => memo(key, () => (answers[loads++] ?? (async () => loads))());
  return { clock, ask, loads: () => loads };
}

describe("a cached result", () => {
  it("is used until it expires", async () => {
    const { clock, ask } = aMemo();
    expect([await ask(), await ask()]).toEqual([1, 1]);
    await clock.advance(ttlMs - 1);
    expect(await ask()).toBe(1);
    await clock.advance(1);
    expect(await ask()).toBe(2);
  });

  it("is never used for another key", async () => {
    const { ask } = aMemo();
    expect([await ask("a"), await ask("b"), await ask("a")]).toEqual([1, 2, 1]);
  });

  it("is not cached if it is a failure, or if nothing was found", async () => {
    const { ask } = aMemo([() => Promise.reject(new Error("down")), async () => undefined]);
    await expect(ask()).rejects.toThrow("down");
    expect([await ask(), await ask(), await ask()]).toEqual([undefined, 3, 3]);
  });

  it("is dropped when a thousand others are newer", async () => {
    const { ask, loads } = aMemo();
    await ask("first");
    for (let n = 0; n < 1_000; n++) await ask(`other ${n}`);
    await ask("other 999");
    expect(loads()).toBe(1_001);
    await ask("first");
    expect(loads()).toBe(1_002);
  });
});

import { describe, expect, it } from "vitest";
import { FakeClock } from "./fake-clock.ts";
import { createRecent } from "./recent.ts";

const keptMs = 10_000;

function asking(answers: (() => Promise<unknown>)[] = []) {
  const clock = new FakeClock(new Date(0));
  const recent = createRecent(clock, keptMs);
  let asked = 0;
  const ask = (question = "q") => recent(question, () => (answers[asked++] ?? (async () => asked))());
  return { clock, ask, asked: () => asked };
}

describe("an answer that may be some seconds old", () => {
  it("is given again, until it is too old", async () => {
    const { clock, ask } = asking();
    expect([await ask(), await ask()]).toEqual([1, 1]);
    await clock.advance(keptMs - 1);
    expect(await ask()).toBe(1);
    await clock.advance(1);
    expect(await ask()).toBe(2);
  });

  it("is shared by those who ask at the same time", async () => {
    const { ask, asked } = asking();
    await Promise.all([ask(), ask(), ask()]);
    expect(asked()).toBe(1);
  });

  it("is never the answer to another question", async () => {
    const { ask } = asking();
    expect([await ask("a"), await ask("b"), await ask("a")]).toEqual([1, 2, 1]);
  });

  it("is not kept if it is a failure, or if nothing was found", async () => {
    const { ask } = asking([() => Promise.reject(new Error("down")), async () => undefined]);
    await expect(ask()).rejects.toThrow("down");
    expect([await ask(), await ask()]).toEqual([undefined, 3]);
  });

  it("is forgotten when a thousand others are newer", async () => {
    const { ask, asked } = asking();
    await ask("first");
    for (let n = 0; n < 1_000; n++) await ask(`other ${n}`);
    await ask("other 999");
    expect(asked()).toBe(1_001);
    await ask("first");
    expect(asked()).toBe(1_002);
  });
});

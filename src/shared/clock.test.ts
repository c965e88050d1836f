import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sleep, systemClock } from "./clock.ts";
import { FakeClock } from "./fake-clock.ts";

describe("FakeClock", () => {
  it("does not advance by itself, and then runs due timers in order", async () => {
    const clock = new FakeClock("2026-01-01T00:00:00Z");
    const ran: string[] = [];
    clock.after(20, () => ran.push("b"));
    clock.after(10, () => ran.push("a"));
    clock.after(30, () => ran.push("c"));
    const cancel = clock.after(15, () => ran.push("never"));
    cancel();
    await clock.advance(20);
    expect(ran).toEqual(["a", "b"]);
    expect(clock.pending).toBe(1);
    expect(clock.now().toISOString()).toBe("2026-01-01T00:00:00.020Z");
  });

  it("runs a timer that another timer set, at its due time", async () => {
    const clock = new FakeClock(new Date(0));
    const at: number[] = [];
    clock.after(10, () => clock.after(10, () => at.push(clock.now().getTime())));
    await clock.advance(100);
    expect(at).toEqual([20]);
  });

  it("changes only the wall clock when it is set", async () => {
    const clock = new FakeClock("2026-01-01T00:00:00Z");
    const ran = vi.fn();
    clock.after(20, ran);
    await clock.advance(10);
    clock.stepWall(-60_000);
    expect(clock.now().toISOString()).toBe("2025-12-31T23:59:00.010Z");
    expect(clock.monotonicMs()).toBe(10);
    await clock.advance(10);
    expect(ran).toHaveBeenCalledOnce();
  });

  it("lets promises settle before the first timer", async () => {
    const clock = new FakeClock(new Date(0));
    const at: number[] = [];
    void Promise.resolve().then(() => clock.after(10, () => at.push(clock.now().getTime())));
    await clock.advance(100);
    expect(at).toEqual([10]);
  });
});

describe("sleep", () => {
  it("resolves after the delay", async () => {
    const clock = new FakeClock();
    const woke = vi.fn();
    void sleep(clock, 100).then(woke);
    await clock.advance(99);
    expect(woke).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(woke).toHaveBeenCalledOnce();
  });

  it("rejects with the reason when it is aborted, and leaves no timer", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleeping = sleep(clock, 100, abort.signal);
    abort.abort(new Error("stopping"));
    await expect(sleeping).rejects.toThrow("stopping");
    expect(clock.pending).toBe(0);
    await expect(sleep(clock, 100, abort.signal)).rejects.toThrow("stopping");
    await expect(sleep(clock, 100, AbortSignal.abort("word"))).rejects.toThrow("aborted");
  });

  it("removes its listener from the signal when it resolves, so that a long-lived signal accumulates none", async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const sleeping = sleep(clock, 10, signal);
    await clock.advance(10);
    await sleeping;
    expect(removed).toHaveBeenCalledOnce();
  });
});

describe("systemClock", () => {
  it("runs a timer, and none that was cancelled", async () => {
    const ran = vi.fn();
    systemClock.after(1, () => ran("cancelled"))();
    await new Promise<void>((resolve) => {
      systemClock.after(2, () => {
        ran("kept");
        resolve();
      });
    });
    expect(ran.mock.calls).toEqual([["kept"]]);
    const [before, now, after] = [new Date(), systemClock.now(), new Date()];
    expect([after, now, before].toSorted((a, b) => a.getTime() - b.getTime())).toEqual([before, now, after]);
  });

  it("supports delays longer than Node's timers, also when they are cancelled half-way", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const dayMs = 86_400_000;
    const ran = vi.fn();
    systemClock.after(30 * dayMs, () => ran("kept"));
    const cancel = systemClock.after(60 * dayMs, () => ran("cancelled"));
    vi.advanceTimersByTime(30 * dayMs - 1);
    expect(ran).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ran.mock.calls).toEqual([["kept"]]);
    cancel();
    vi.advanceTimersByTime(60 * dayMs);
    expect(ran.mock.calls).toEqual([["kept"]]);
  });
});

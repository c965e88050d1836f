import type { Clock } from "./clock.ts";

/** A clock for tests: it advances only by `advance`, which runs due timers in order. */
export class FakeClock implements Clock {
  /** Milliseconds since this clock was created; timers use it. */
  #passedMs = 0;
  /** The wall clock at the start. */
  #startMs: number;
  #next = 0;
  readonly #timers = new Map<number, { dueMs: number; callback: () => void }>();

  constructor(start: Date | string = "2026-01-01T00:00:00Z") {
    this.#startMs = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.#startMs + this.#passedMs);
  }

  monotonicMs(): number {
    return this.#passedMs;
  }

  /** Sets the wall clock forward or back, as time servers do; timers are not affected. */
  stepWall(byMs: number): void {
    this.#startMs += byMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { dueMs: this.#passedMs + Math.max(0, delayMs), callback });
    return () => this.#timers.delete(id);
  }

  /** Advances time by `ms` and runs every due timer; promises settle before, between and after timers. */
  async advance(ms: number): Promise<void> {
    await settle();
    const untilMs = this.#passedMs + ms;
    for (let due = this.#earliest(untilMs); due; due = this.#earliest(untilMs)) {
      this.#passedMs = Math.max(this.#passedMs, due.dueMs);
      this.#timers.delete(due.id);
      due.callback();
      await settle();
    }
    this.#passedMs = untilMs;
    await settle();
  }

  /** Advances time by `ms` while nothing runs, like a blocked event loop: due timers run afterwards, all at the new time. */
  async stall(ms: number): Promise<void> {
    this.#passedMs += ms;
    await this.advance(0);
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.size;
  }

  #earliest(untilMs: number): { id: number; dueMs: number; callback: () => void } | undefined {
    return [...this.#timers]
      .map(([id, timer]) => ({ id, ...timer }))
      .filter((timer) => timer.dueMs <= untilMs)
      .sort((a, b) => a.dueMs - b.dueMs || a.id - b.id)[0];
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

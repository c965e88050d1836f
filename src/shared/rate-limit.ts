import type { Clock } from "./clock.ts";

/** Whether one more event is within the limit; counts it if so. */
export type RateLimit = () => boolean;

/** Creates a limit of one event every `everyMs`, and after a time without events up to `burst` at once. */
export function createRateLimit(clock: Clock, { everyMs, burst }: { everyMs: number; burst: number }): RateLimit {
  /** When the next event would be due at an even pace. */
  let nextMs = clock.monotonicMs();
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs < nextMs - (burst - 1) * everyMs) return false;
    nextMs = Math.max(nextMs, nowMs) + everyMs;
    return true;
  };
}

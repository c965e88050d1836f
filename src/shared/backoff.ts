/** Exponential back-off: `baseMs`, doubled for each earlier failure, at most `maxMs`, minus a random part of up to `jitter` (0…1). */
export interface Backoff {
  baseMs: number;
  maxMs: number;
  jitter?: number;
  /** Returns 0 ≤ n < 1; default `Math.random`. */
  random?: () => number;
}

/** The delay after `failures` failures in a row (1 or more), in milliseconds. */
export function delayMs(backoff: Backoff, failures: number): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(Math.max(0, failures - 1), 40));
  const random = (backoff.random ?? Math.random)();
  return Math.round(full * (1 - (backoff.jitter ?? 0) * random));
}

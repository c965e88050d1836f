import { describeError } from "../../src/shared/errors.ts";

/** Time limit and interval, and the expected event as a text that completes "waited for …". */
export interface EventuallyOptions {
  /**
   * Default: 45,000, because the machine may be busy. Shorter than the shortest time-out of a test, so that the error names the expected
   * event.
   */
  timeoutMs?: number;
  /** Default: 50. */
  everyMs?: number;
  describe: string;
}

/**
 * Calls `probe` until it returns a value, and returns that value. An exception (for example from an assertion), `undefined`, `null` and
 * `false` mean "not yet", so a probe that only asserts must return something. Tests wait only with this function.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: EventuallyOptions,
): Promise<Exclude<T, undefined | null | false | void>> {
  const timeoutMs = options.timeoutMs ?? 45_000;
  const startedMs = performance.now();
  let last = await attempt(probe);
  while (!last.met) {
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > timeoutMs) {
      throw new Error(`waited ${Math.round(waitedMs)} ms for ${options.describe}; at the end ${last.why}`, {
        cause: last.cause,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 50));
    last = await attempt(probe);
  }
  return last.answer as Exclude<T, undefined | null | false | void>;
}

type Attempt<T> = { met: true; answer: T } | { met: false; why: string; cause?: unknown };

async function attempt<T>(probe: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    const answer = await probe();
    const met = answer !== undefined && answer !== null && answer !== false;
    return met ? { met, answer } : { met, why: `the probe returned ${String(answer)}` };
  } catch (error) {
    return { met: false, why: `it threw: ${describeError(error)}`, cause: error };
  }
}

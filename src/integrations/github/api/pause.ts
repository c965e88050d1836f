import type { Clock } from "../../../shared/clock.ts";

/** The longest that is waited without asking again; GitHub's own windows are an hour. */
const maxPauseMs = 3_600_000;

/**
 * How long each credential of a sign-in leaves GitHub alone, because GitHub said so: whoever goes on asking is limited for longer, and at
 * last banned. Source: GitHub, "Best practices for using the REST API", handle rate limit errors.
 */
export interface Pauses {
  /** Milliseconds that are left, or 0. */
  leftMs(credential: string): number;
  /** GitHub asked this credential to wait. */
  asked(credential: string, waitMs: number): void;
}

/** Creates the pauses of one sign-in. */
export function createPauses(clock: Clock): Pauses {
  const untilMs = new Map<string, number>();
  const nowMs = (): number => clock.now().getTime();
  return {
    leftMs(credential) {
      const leftMs = (untilMs.get(credential) ?? 0) - nowMs();
      if (leftMs > 0) return leftMs;
      untilMs.delete(credential);
      return 0;
    },
    asked(credential, waitMs) {
      const until = nowMs() + Math.min(waitMs, maxPauseMs);
      untilMs.set(credential, Math.max(until, untilMs.get(credential) ?? 0));
    },
  };
}

import type { Clock } from "../../../shared/clock.ts";

/** The longest pause before the next attempt. GitHub's own rate limit windows are an hour. */
const maxPauseMs = 3_600_000;

/**
 * The pauses that GitHub asked for, per credential of a sign-in. A client that goes on sending requests during a pause is limited for
 * longer and may be banned. Source: GitHub, "Best practices for using the REST API", handle rate limit errors.
 */
export interface Pauses {
  /** Milliseconds until the pause of this credential ends, or 0 if there is none. */
  leftMs(credential: string): number;
  /** Records that GitHub asked this credential to wait. */
  asked(credential: string, waitMs: number): void;
}

/** Creates the list of pauses of one sign-in. */
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

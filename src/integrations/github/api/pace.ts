import type { Clock } from "../../../shared/clock.ts";
import { withinSignal } from "../../../shared/within-signal.ts";

/** GitHub, "Best practices for using the REST API": at least a second between requests that change something. */
const paceMs = 1_000;

/** The longest pause before the next attempt. GitHub's own rate limit windows are an hour. */
const maxPauseMs = 3_600_000;

/** Spaces out the writes of one sign-in. */
export interface Pace {
  /**
   * Waits until one write may be sent. Urgent writes, which a person waits for, come first, at the same pace. If `signal` aborts, rejects
   * with its reason and leaves the queue.
   */
  turn(of: { urgent: boolean }, signal: AbortSignal): Promise<void>;
}

/** No pace, for tests against a stand-in. */
export const unpaced: Pace = { turn: async () => {} };

interface Waiting {
  urgent: boolean;
  go: () => void;
}

/** Creates the queue that paces the writes of one sign-in. */
export function createPace(clock: Clock): Pace {
  const waiting: Waiting[] = [];
  let nextMs = clock.monotonicMs();
  let armed = false;

  const next = (): void => {
    if (armed || waiting.length === 0) return;
    const leftMs = nextMs - clock.monotonicMs();
    if (leftMs > 0) return later(leftMs);
    const [first] = waiting.splice(
      Math.max(
        0,
        waiting.findIndex(({ urgent }) => urgent),
      ),
      1,
    );
    nextMs = clock.monotonicMs() + paceMs;
    first?.go();
    next();
  };
  const later = (ms: number): void => {
    armed = true;
    clock.after(ms, () => {
      armed = false;
      next();
    });
  };

  return {
    async turn({ urgent }, signal) {
      signal.throwIfAborted();
      const turn = Promise.withResolvers<void>();
      const one = { urgent, go: turn.resolve };
      waiting.push(one);
      next();
      try {
        await withinSignal(turn.promise, signal);
      } catch (error) {
        const at = waiting.indexOf(one);
        if (at >= 0) waiting.splice(at, 1);
        throw error;
      }
    },
  };
}

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

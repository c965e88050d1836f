import type { Clock } from "../shared/clock.ts";
import { withinSignal } from "../shared/within-signal.ts";

/** The longest pause before the next attempt. The rate limit windows of providers are an hour at most. */
const maxPauseMs = 3_600_000;

/** Spaces out the calls of one sign-in. */
export interface Pace {
  /**
   * Waits until one call may be sent. Urgent calls, which a person waits for, come first, at the same pace. If `signal` aborts, rejects
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

/** Creates a queue that releases one call every `everyMs`, and after a time without calls up to `burst` calls at once. */
export function createPace(clock: Clock, { everyMs, burst = 1 }: { everyMs: number; burst?: number }): Pace {
  const waiting: Waiting[] = [];
  /** When the next call would be due at an even pace. */
  let nextMs = clock.monotonicMs();
  let armed = false;

  const next = (): void => {
    if (armed || waiting.length === 0) return;
    const leftMs = nextMs - (burst - 1) * everyMs - clock.monotonicMs();
    if (leftMs > 0) return later(leftMs);
    const [first] = waiting.splice(
      Math.max(
        0,
        waiting.findIndex(({ urgent }) => urgent),
      ),
      1,
    );
    nextMs = Math.max(nextMs, clock.monotonicMs()) + everyMs;
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
 * The pauses that the provider asked for, by what they hold for (a credential, or a method). A client that goes on sending requests during a
 * pause is limited for longer and may be banned. Source: GitHub, "Best practices for using the REST API", handle rate limit errors.
 */
export interface Pauses {
  /** Milliseconds until the pause ends, or 0 if there is none. */
  leftMs(of: string): number;
  /** Records that the provider asked to wait. */
  asked(of: string, waitMs: number): void;
}

/** Creates the list of pauses of one sign-in. */
export function createPauses(clock: Clock): Pauses {
  const untilMs = new Map<string, number>();
  const nowMs = (): number => clock.now().getTime();
  return {
    leftMs(of) {
      const leftMs = (untilMs.get(of) ?? 0) - nowMs();
      if (leftMs > 0) return leftMs;
      untilMs.delete(of);
      return 0;
    },
    asked(of, waitMs) {
      const until = nowMs() + Math.min(waitMs, maxPauseMs);
      untilMs.set(of, Math.max(until, untilMs.get(of) ?? 0));
    },
  };
}

import type { Clock } from "../../../shared/clock.ts";
import { withinSignal } from "../../../shared/within-signal.ts";

/** GitHub, "Best practices for using the REST API": at least a second between requests that change something. */
const paceMs = 1_000;

/** Spaces the writes of one sign-in out. */
export interface Pace {
  /**
   * Waits for the turn of one write; those that a person waits for come first, at the same pace. Rejects with the signal's reason where that
   * aborts, and then takes nobody's turn.
   */
  turn(of: { urgent: boolean }, signal: AbortSignal): Promise<void>;
}

/** For stand-ins, which ask for no pace. */
export const unpaced: Pace = { turn: async () => {} };

interface Waiting {
  urgent: boolean;
  go: () => void;
}

/** Creates the pace of one sign-in. */
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

import { type Clock, systemClock } from "../../src/shared/clock.ts";

/** How long nothing is said. What is in a cache is there by then, and nothing is said at all. */
const everyMs = 10_000;

/** Takes one line. */
export type Say = (line: string) => void;

/** Work of several parts at once; one line says from time to time what remains. */
export interface Progress {
  /**
   * Begins a part, and gives what it comes to. `now` takes what it does at the moment. A part whose name is known already is not begun again:
   * both callers get the same.
   */
  part<T>(name: string, work: (now: Say) => Promise<T>): Promise<T>;
}

/** Starts with nothing to do. Says `waiting for: a (3 min 20 s so far: 7 of 9 packages), b (12 s so far); done: c` while there is something. */
export function startProgress(say: Say, clock: Clock = systemClock): Progress {
  const parts = new Map<string, Part>();
  let timer: (() => void) | undefined;

  const wait = (): void => void (timer ??= clock.after(everyMs, report));
  function report(): void {
    timer = undefined;
    const are = (state: Part["state"]): [string, Part][] => [...parts].filter(([, part]) => part.state === state);
    const [waiting, done] = [are("under way"), are("done").map(([name]) => name)];
    if (waiting.length === 0) return;
    const remaining = waiting.map(([name, part]) => `${name} (${lookOf(part, clock.monotonicMs())})`).join(", ");
    say(`waiting for: ${remaining}${done.length > 0 ? `; done: ${done.join(", ")}` : ""}`);
    wait();
  }

  return {
    part<T>(name: string, work: (now: Say) => Promise<T>): Promise<T> {
      const known = parts.get(name);
      if (known) return known.outcome as Promise<T>;
      const part: Part = { sinceMs: clock.monotonicMs(), doing: "", state: "under way", outcome: undefined };
      parts.set(name, part);
      wait();
      const outcome = work((doing) => (part.doing = doing));
      outcome.then(
        () => (part.state = "done"),
        () => (part.state = "failed"),
      );
      part.outcome = outcome;
      return outcome;
    },
  };
}

interface Part {
  sinceMs: number;
  doing: string;
  state: "under way" | "done" | "failed";
  outcome: Promise<unknown> | undefined;
}

function lookOf({ sinceMs, doing }: Part, nowMs: number): string {
  const seconds = Math.round((nowMs - sinceMs) / 1_000);
  const minutes = Math.floor(seconds / 60);
  const passed = minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
  return doing === "" ? `${passed} so far` : `${passed} so far: ${doing}`;
}

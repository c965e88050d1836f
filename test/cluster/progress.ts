import { type Clock, systemClock } from "../../src/shared/clock.ts";

/** Time before the first line. Cached parts finish earlier, and then nothing is printed. */
const everyMs = 10_000;

/** Takes one line. */
export type Say = (line: string) => void;

/** Work of several parallel parts; from time to time one line names the remaining parts. */
export interface Progress {
  /**
   * Starts a part, and returns its result. `now` takes its current state. A part whose name is already known is not started again: both callers
   * get the same result.
   */
  part<T>(name: string, work: (now: Say) => Promise<T>): Promise<T>;
}

/** Starts without parts. Prints `waiting for: a (3 min 20 s so far: 7 of 9 packages), b (12 s so far); done: c` while parts remain. */
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

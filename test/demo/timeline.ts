import type { Say } from "./place.ts";

/** Prints the demo's events line by line, each with the seconds since the start. */
export interface Timeline {
  /** Prints a line with the time. */
  add: Say;
  /** Prints details of the line above, on one line or several. */
  show(text: string): void;
  /** Seconds since the start, with two digits. */
  seconds(): string;
}

/** Starts the clock. */
export function startTimeline(say: Say): Timeline {
  const startedMs = performance.now();
  const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(2);
  return {
    seconds,
    add: (line) => say(`${seconds().padStart(7)} s  ${line}`),
    show(text) {
      for (const line of text.trimEnd().split("\n")) say(`            ${line}`);
    },
  };
}

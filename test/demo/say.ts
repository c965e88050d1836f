import type { Say } from "./place.ts";

/** Tells a story line by line, each with the seconds since its start. */
export interface Story {
  /** A line with the time. */
  tell: Say;
  /** A line or several that belong to the one above. */
  show(text: string): void;
  /** Seconds since the start, with two digits. */
  seconds(): string;
}

/** Starts the watch. */
export function startStory(say: Say): Story {
  const startedMs = performance.now();
  const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(2);
  return {
    seconds,
    tell: (line) => say(`${seconds().padStart(7)} s  ${line}`),
    show(text) {
      for (const line of text.trimEnd().split("\n")) say(`            ${line}`);
    },
  };
}

import type { Grant } from "./capability.ts";
import { Refusal } from "./refusal.ts";

/** What the fetches of one sandbox may hold at once; its courier and its agent have a share each. */
const limits = { requests: 4, bytes: 8 * 1024 * 1024 };

/** Bounds what fetches hold, so that one agent takes neither the broker's memory nor its connections from the others. */
export interface FetchBounds {
  /** Lets a fetch in. Throws `Refusal` where there are too many under way. */
  enter(grant: Grant): FetchTicket;
}

/** One fetch's share. */
export interface FetchTicket {
  /** Takes so many bytes of a request. Throws `Refusal` where they do not fit. */
  hold(bytes: number): void;
  /** Gives everything back. */
  leave(): void;
}

/** Creates the bounds of a broker. */
export function createFetchBounds(): FetchBounds {
  const held = new Map<string, { requests: number; bytes: number }>();
  return {
    enter({ podUID, scope }) {
      const key = `${podUID}/${scope}`;
      const share = held.get(key) ?? { requests: 0, bytes: 0 };
      if (share.requests >= limits.requests) throw tooMany();
      share.requests += 1;
      held.set(key, share);
      let mine = 0;
      return {
        hold(bytes) {
          if (share.bytes + bytes > limits.bytes) throw tooLarge();
          share.bytes += bytes;
          mine += bytes;
        },
        leave() {
          share.bytes -= mine;
          share.requests -= 1;
          if (share.requests === 0) held.delete(key);
        },
      };
    },
  };
}

function tooMany(): Refusal {
  return new Refusal(
    429,
    "TooManyFetches",
    `${limits.requests} fetches of this sandbox are under way already; fetch again when one has ended`,
  );
}

function tooLarge(): Refusal {
  return new Refusal(413, "FetchTooLarge", `what a sandbox asks for may have at most ${limits.bytes} bytes at once`);
}

import { InFlight } from "../shared/in-flight.ts";
import type { Grant } from "./capability.ts";
import { Refusal } from "./refusal.ts";

const MiB = 1024 * 1024;

/** What the fetches of one sandbox may hold at once (its courier and its agent have a share each), and those of all. */
const limits = { requestsPerKey: 4, requests: 256, bytesPerKey: 8 * MiB, bytes: 128 * MiB };

/** Bounds what fetches hold, so that one agent takes neither the broker's memory nor its connections from the others. */
export interface FetchBounds {
  /** Lets a fetch in. Throws `Refusal` where there are too many under way. */
  enter(grant: Pick<Grant, "podUID" | "scope">): FetchTicket;
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
  const inFlight = new InFlight(limits);
  return {
    enter({ podUID, scope }) {
      const ticket = inFlight.enter(`${podUID}/${scope}`);
      if (!ticket) throw tooMany();
      let mine = 0;
      return {
        hold(bytes) {
          mine += bytes;
          if (!ticket.grow(bytes)) throw mine > limits.bytesPerKey ? tooLarge() : tooMany();
        },
        leave: () => ticket.release(),
      };
    },
  };
}

function tooMany(): Refusal {
  const message = "too much is being fetched already, by this sandbox or by all; fetch again when something has ended";
  return new Refusal(429, "TooManyFetches", message);
}

function tooLarge(): Refusal {
  return new Refusal(413, "FetchTooLarge", `what is asked for may have at most ${limits.bytesPerKey} bytes`);
}

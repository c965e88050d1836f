import { InFlight } from "../shared/in-flight.ts";
import type { Grant } from "./capability.ts";
import { Refusal } from "./refusal.ts";

const MiB = 1024 * 1024;

/** Limits of concurrent fetches: for each sandbox (separately for its courier and its agent), and in total. */
export const fetchLimits = { requestsPerKey: 4, requests: 256, bytesPerKey: 8 * MiB, bytes: 128 * MiB };

/** Limits concurrent fetches, so that one agent cannot use up the memory or the connections of the broker. */
export interface FetchBounds {
  /** Admits a fetch. Throws `Refusal` if too many are in progress. */
  enter(grant: Pick<Grant, "podUID" | "scope">): FetchTicket;
}

/** The reservation of one fetch. */
export interface FetchTicket {
  /** Reserves `bytes` of a request. Throws `Refusal` if they exceed a limit. */
  hold(bytes: number): void;
  /** Releases the reservation. */
  leave(): void;
}

/** Creates the limits of one broker. */
export function createFetchBounds(): FetchBounds {
  const inFlight = new InFlight(fetchLimits);
  return {
    enter({ podUID, scope }) {
      const ticket = inFlight.enter(`${podUID}/${scope}`);
      if (!ticket) throw tooMany();
      let mine = 0;
      return {
        hold(bytes) {
          mine += bytes;
          if (!ticket.grow(bytes)) throw mine > fetchLimits.bytesPerKey ? tooLarge() : tooMany();
        },
        leave: () => ticket.release(),
      };
    },
  };
}

function tooMany(): Refusal {
  const message = "too many fetches are in progress, of this sandbox or in total; fetch again in a moment";
  return new Refusal(429, "TooManyFetches", message);
}

function tooLarge(): Refusal {
  return new Refusal(413, "FetchTooLarge", `a fetch request may have at most ${fetchLimits.bytesPerKey} bytes`);
}

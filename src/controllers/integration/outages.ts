import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";

/**
 * When missed deliveries are searched after an outage: at once, and twice more, because the gateways may be back a little later, and a
 * provider logs a delivery only when it has given up.
 */
const searchAtMs = [0, 30_000, 120_000] as const;
/** The time between the first searches of two integrations after an outage: many of them must not call a provider at the same time. */
const spreadMs = 100;

/** The log of deliveries of one integration. */
export interface DeliveryLog {
  /** The uid of the integration. */
  uid: string;
  /** The host that keeps the log, with its port if it has one. */
  host: string;
}

/** The searches of one log that the last outage, or the beginning of leadership, asks for. */
export interface DueSearches {
  /** Milliseconds until the next one; 0: search now. Undefined if none is left. */
  inMs(): number | undefined;
  /** A search begins: if another outage ends from now on, the log is searched again. */
  begin(): void;
  /** The search that began covered the whole log. */
  end(): void;
}

/** The outages that this operator noticed, of the API server and of providers. During an outage no delivery is stored, or none arrives. */
export interface Outages {
  /** A call or a watch failed because the API server did not answer. */
  suspected(): void;
  /** The API server answers: if an outage was suspected, it has ended. */
  answered(): void;
  /** A provider's host answers again. */
  hostAnswered(host: string): void;
  /** Adds a listener that is called at the end of each outage, with the milliseconds until the next search by the uid of the integration. */
  onEnd(listener: (searches: ReadonlyMap<string, number>) => void): void;
  /** The searches of a log. A log that was never searched is due: nobody led before, so deliveries may be missing. */
  searchesOf(log: DeliveryLog): DueSearches;
  /** Forgets an integration that was deleted. */
  forget(uid: string): void;
}

/** Creates the record of outages. */
export function createOutages({ clock, log }: { clock: Clock; log: Logger }): Outages {
  const all = new Map<string, Searches>();
  const listeners: ((searches: ReadonlyMap<string, number>) => void)[] = [];
  let isSuspected = false;
  let freeAtMs = Number.NEGATIVE_INFINITY;

  const planned = (host: string): Searches => {
    const firstMs = Math.max(clock.monotonicMs(), freeAtMs);
    freeAtMs = firstMs + spreadMs;
    return { host, firstMs, ended: 0, hasBegun: false };
  };
  const ended = (of: string, isAffected: (host: string) => boolean): void => {
    const affected = [...all].filter(([, { host }]) => isAffected(host));
    const due = new Map<string, number>();
    for (const [uid, known] of affected) {
      // A first search that has not begun keeps its place, or a host that fails again and again would put it off for ever.
      const searches = known.ended === 0 && !known.hasBegun ? known : planned(known.host);
      all.set(uid, searches);
      due.set(uid, leftMs(searches, clock) ?? 0);
    }
    log.info({ of, integrations: due.size }, "an outage ended: searching for missed deliveries");
    if (due.size > 0) for (const listener of listeners) listener(due);
  };

  return {
    suspected: () => void (isSuspected = true),
    answered() {
      if (!isSuspected) return;
      isSuspected = false;
      ended("API server", () => true);
    },
    hostAnswered: (answering) => ended(answering, (host) => host === answering),
    onEnd: (listener) => void listeners.push(listener),
    searchesOf({ uid, host }) {
      const known = all.get(uid);
      const searches = known?.host === host ? known : planned(host);
      all.set(uid, searches);
      return dueSearches(searches, clock);
    },
    forget: (uid) => void all.delete(uid),
  };
}

interface Searches {
  host: string;
  /** When the first one is due, on the monotonic clock. */
  firstMs: number;
  ended: number;
  hasBegun: boolean;
}

/** A search that ends after a later outage changes nothing: the searches of that outage have replaced these. */
function dueSearches(searches: Searches, clock: Clock): DueSearches {
  return {
    inMs: () => leftMs(searches, clock),
    begin: () => void (searches.hasBegun = true),
    end: () => void (searches.ended += 1),
  };
}

function leftMs({ firstMs, ended }: Searches, clock: Clock): number | undefined {
  const atMs = searchAtMs[ended];
  return atMs === undefined ? undefined : Math.max(0, firstMs + atMs - clock.monotonicMs());
}

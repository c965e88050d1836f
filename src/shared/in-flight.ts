/** Limits of concurrent requests and bytes. */
export interface InFlightLimits {
  requestsPerKey: number;
  requests: number;
  bytesPerKey: number;
  bytes: number;
}

/** The reservation of one request. */
export interface Ticket {
  /** Reserves more bytes; returns false and reserves nothing if they exceed a limit. */
  grow(bytes: number): boolean;
  /** Releases the whole reservation. Idempotent. */
  release(): void;
}

/** Current use. */
interface Held {
  requests: number;
  bytes: number;
}

/** Limits requests and bytes, for each key and in total, so that one busy sender does not block the others. */
export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #keys = new Map<string, Held>();
  readonly #total: Held = { requests: 0, bytes: 0 };
  readonly #changed: (total: Readonly<Held>) => void;

  constructor(limits: InFlightLimits, changed: (total: Readonly<Held>) => void = () => {}) {
    this.#limits = limits;
    this.#changed = changed;
  }

  /** Admits a request of a key; undefined if a limit is reached. */
  enter(key: string): Ticket | undefined {
    const held = this.#keys.get(key) ?? { requests: 0, bytes: 0 };
    const { requestsPerKey, requests } = this.#limits;
    if (held.requests >= requestsPerKey || this.#total.requests >= requests) return undefined;
    this.#keys.set(key, held);
    this.#add(held, 1, 0);
    return this.#ticket(key, held);
  }

  #ticket(key: string, held: Held): Ticket {
    let mine = 0;
    let open = true;
    return {
      grow: (bytes) => {
        const { bytesPerKey, bytes: inTotal } = this.#limits;
        if (held.bytes + bytes > bytesPerKey || this.#total.bytes + bytes > inTotal) return false;
        mine += bytes;
        this.#add(held, 0, bytes);
        return true;
      },
      release: () => {
        if (!open) return;
        open = false;
        this.#add(held, -1, -mine);
        if (held.requests === 0) this.#keys.delete(key);
      },
    };
  }

  #add(held: Held, requests: number, bytes: number): void {
    for (const one of [held, this.#total]) {
      one.requests += requests;
      one.bytes += bytes;
    }
    this.#changed(this.#total);
  }
}

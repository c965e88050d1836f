/** How much may be held at once. */
export interface InFlightLimits {
  requestsPerKey: number;
  requests: number;
  bytesPerKey: number;
  bytes: number;
}

/** One request's share. */
export interface Ticket {
  /** Takes so many bytes more; false where they do not fit, and then nothing is taken. */
  grow(bytes: number): boolean;
  /** Gives everything back. May be called again. */
  release(): void;
}

/** What is held now. */
interface Held {
  requests: number;
  bytes: number;
}

/** Bounds requests and bytes, of one key and of all together, so that one noisy sender does not starve the others. */
export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #keys = new Map<string, Held>();
  readonly #total: Held = { requests: 0, bytes: 0 };
  readonly #changed: (total: Readonly<Held>) => void;

  constructor(limits: InFlightLimits, changed: (total: Readonly<Held>) => void = () => {}) {
    this.#limits = limits;
    this.#changed = changed;
  }

  /** Lets a request of a key in, or answers undefined where there are too many. */
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

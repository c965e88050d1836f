import type { Dispatcher } from "undici";
import type { Clock } from "../shared/clock.ts";

/** Far longer than the API server takes to answer, and shorter than the time-outs of callers. */
const silentMs = 4_000;

/** The part of a dispatcher that makes requests. */
export type Requests = Pick<Dispatcher, "request">;

/**
 * The connection that all calls share. If a peer disappears without closing it, an HTTP/2 connection stays open and every further call on it
 * gets no answer until the kernel notices (15 min). So when a call fails and no call was answered for 4 s, the next call opens a new
 * connection, and the old one closes when its pending calls have ended.
 */
export interface CallConnection extends Requests {
  close(): Promise<void>;
}

/** Opens no connection before the first request. `open` creates the dispatcher, which must accept `destroy` after `close`, as a `Pool` does. */
export function createCallConnection(open: () => Dispatcher, clock: Clock): CallConnection {
  return new ReplacedConnection(open, clock);
}

interface Current {
  dispatcher: Dispatcher;
  /** Time of the first request since the last answer. */
  silentSinceMs?: number | undefined;
}

class ReplacedConnection implements CallConnection {
  readonly #open: () => Dispatcher;
  readonly #clock: Clock;
  readonly #closing = new Set<Dispatcher>();
  #current: Current | undefined;

  constructor(open: () => Dispatcher, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  async request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    const current = (this.#current ??= { dispatcher: this.#open() });
    current.silentSinceMs ??= this.#clock.monotonicMs();
    try {
      const answer = await current.dispatcher.request(options);
      current.silentSinceMs = undefined;
      return answer;
    } catch (error) {
      this.#suspect(current);
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = this.#current ? [this.#current.dispatcher] : [];
    await Promise.all([...open, ...this.#closing].map((dispatcher) => dispatcher.destroy()));
  }

  #suspect(current: Current): void {
    const sinceMs = current.silentSinceMs;
    if (current !== this.#current || sinceMs === undefined || this.#clock.monotonicMs() - sinceMs < silentMs) return;
    this.#current = undefined;
    this.#closing.add(current.dispatcher);
    const closed = (): void => void this.#closing.delete(current.dispatcher);
    current.dispatcher.close().then(closed, closed);
  }
}

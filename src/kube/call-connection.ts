import type { Dispatcher } from "undici";
import type { Clock } from "../shared/clock.ts";

/** Far longer than the API server takes to answer, and shorter than the patience of those who wait. */
const silentMs = 4_000;

/** What requests are made with. */
export type Requests = Pick<Dispatcher, "request">;

/**
 * The one connection that all calls share. A peer that goes away without a word leaves an HTTP/2 connection open, on which
 * every further call waits in vain until the kernel notices (15 min): where a call fails and nobody has answered any for 4 s,
 * the next opens a connection of its own, and the old one closes when what is under way on it has ended.
 */
export interface CallConnection extends Requests {
  close(): Promise<void>;
}

/** Opens no connection before the first request; `open` makes what opens one, and must heed `destroy` after `close`: a `Pool`. */
export function createCallConnection(open: () => Dispatcher, clock: Clock): CallConnection {
  return new ReplacedConnection(open, clock);
}

interface Line {
  dispatcher: Dispatcher;
  /** When the first request was made that nobody has answered, nor any after it. */
  silentSinceMs?: number | undefined;
}

class ReplacedConnection implements CallConnection {
  readonly #open: () => Dispatcher;
  readonly #clock: Clock;
  readonly #closing = new Set<Dispatcher>();
  #line: Line | undefined;

  constructor(open: () => Dispatcher, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  async request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    const line = (this.#line ??= { dispatcher: this.#open() });
    line.silentSinceMs ??= this.#clock.monotonicMs();
    try {
      const answer = await line.dispatcher.request(options);
      line.silentSinceMs = undefined;
      return answer;
    } catch (error) {
      this.#suspect(line);
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = this.#line ? [this.#line.dispatcher] : [];
    await Promise.all([...open, ...this.#closing].map((dispatcher) => dispatcher.destroy()));
  }

  #suspect(line: Line): void {
    const sinceMs = line.silentSinceMs;
    if (line !== this.#line || sinceMs === undefined || this.#clock.monotonicMs() - sinceMs < silentMs) return;
    this.#line = undefined;
    this.#closing.add(line.dispatcher);
    const closed = (): void => void this.#closing.delete(line.dispatcher);
    line.dispatcher.close().then(closed, closed);
  }
}

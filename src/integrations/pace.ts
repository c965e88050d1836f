import { sleep, type Clock } from "../shared/clock.ts";
import { withinSignal } from "../shared/within-signal.ts";
import { withoutWorker } from "../shared/worker.ts";
import { createLine, type Line, type Waiting } from "./pace/line.ts";
import type { Urgency } from "./pace/urgency.ts";

export type { Urgency } from "./pace/urgency.ts";

/** The longest pause before the next attempt. The rate limit windows of providers are an hour at most. */
const maxPauseMs = 3_600_000;
/** A turn that was promised to a caller and not used within this time goes to the next one. */
const promiseMs = 10_000;
/** A caller that did not ask again for this long after the promised time has given up. */
const forgetMs = 60_000;
/** The shortest time after which it is worth asking again. */
const leastAgainMs = 50;

/** A call that needs a turn. */
export interface PacedCall {
  urgency: Urgency;
  /** Names the caller of `ask`, so that the call that it asked for finds its turn. */
  ticket?: string | undefined;
}

/** Spaces out the calls of one sign-in, the more urgent ones first (pace/line.ts has the order). No two are sent at the same time. */
export interface Pace {
  /**
   * Waits until one call may be sent. The wait holds no worker. If `signal` aborts, rejects with its reason and leaves the line.
   */
  turn(call: PacedCall, signal: AbortSignal): Promise<void>;
  /**
   * Asks for a turn without waiting. 0: the turn is reserved, and the call with the same ticket follows at once. Otherwise the milliseconds after
   * which to ask again; the ticket keeps its place in the line until then.
   */
  ask(call: PacedCall & { ticket: string }): number;
}

/** No pace, for tests against a stand-in. */
export const unpaced: Pace = { turn: async () => {}, ask: () => 0 };

/** Creates a pace that permits one call every `everyMs`, and after a time without calls up to `burst` calls at once. */
export function createPace(clock: Clock, rate: { everyMs: number; burst?: number }): Pace {
  return new LinePace(clock, rate);
}

class LinePace implements Pace {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #burst: number;
  readonly #line: Line;
  /** When the next call would be due at an even pace, behind the reserved ones. */
  #nextMs: number;
  /** When the newest call is sent. */
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Turns that `ask` reserved, by ticket, with the time of each. */
  readonly #reserved = new Map<string, number>();
  /** Callers of `ask` that wait, by ticket. */
  readonly #asking = new Map<string, Waiting>();
  /** How many calls wait in `turn`. */
  #inTurn = 0;
  #disarm = (): void => {};

  constructor(clock: Clock, { everyMs, burst = 1 }: { everyMs: number; burst?: number }) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#burst = burst;
    this.#line = createLine(everyMs);
    this.#nextMs = clock.monotonicMs();
  }

  async turn({ urgency, ticket }: PacedCall, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const reservedMs = ticket === undefined ? undefined : this.#reserved.get(ticket);
    if (ticket !== undefined) this.#forget(ticket);
    if (reservedMs === undefined) return this.#wait(urgency, signal);
    const leftMs = this.#sendIn(reservedMs);
    if (leftMs > 0) await withoutWorker(sleep(this.#clock, leftMs, signal));
  }

  ask({ urgency, ticket }: PacedCall & { ticket: string }): number {
    this.#expire();
    if (this.#reserved.has(ticket)) return 0;
    const asker = this.#askerOf(ticket, urgency);
    const nowMs = this.#nowMs();
    // A turn is reserved ahead of its time, so that the time until its call is not lost.
    if (this.#freeInMs() <= this.#everyMs / 2 && this.#line.first(nowMs, asker) === asker) {
      this.#line.serve(asker);
      this.#asking.delete(ticket);
      this.#reserved.set(ticket, this.#takeTurn());
      return 0;
    }
    const inMs = this.#freeInMs() + this.#line.ahead(asker) * this.#everyMs - this.#everyMs / 2;
    asker.backAtMs = nowMs + Math.max(leastAgainMs, Math.ceil(inMs));
    return asker.backAtMs - nowMs;
  }

  async #wait(urgency: Urgency, signal: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>();
    let went = false;
    const go = (): void => {
      went = true;
      this.#inTurn -= 1;
      turn.resolve();
    };
    const waiting: Waiting = { urgency, go, backAtMs: 0 };
    this.#inTurn += 1;
    this.#line.add(waiting);
    this.#serve();
    try {
      if (!went) await withoutWorker(withinSignal(turn.promise, signal));
    } finally {
      if (!went) this.#inTurn -= 1;
      this.#line.remove(waiting);
    }
  }

  /** The caller's place in the line. A caller whose call became more or less urgent starts at the end of the new urgency. */
  #askerOf(ticket: string, urgency: Urgency): Waiting {
    const known = this.#asking.get(ticket);
    if (known?.urgency === urgency) return known;
    this.#forget(ticket);
    const asker: Waiting = { urgency, backAtMs: this.#nowMs() };
    this.#asking.set(ticket, asker);
    this.#line.add(asker);
    return asker;
  }

  #forget(ticket: string): void {
    const known = this.#asking.get(ticket);
    if (known) this.#line.remove(known);
    this.#asking.delete(ticket);
    this.#reserved.delete(ticket);
  }

  /** Sends every call in `turn` whose time has come. */
  #serve(): void {
    this.#expire();
    this.#disarm();
    for (let leftMs = this.#freeInMs(); leftMs <= 0; leftMs = this.#freeInMs()) {
      const first = this.#line.first(this.#nowMs());
      if (!first) break;
      if (!first.go) return this.#serveIn(this.#everyMs); // it is about to ask
      this.#line.serve(first);
      this.#sendIn(this.#takeTurn());
      first.go();
    }
    if (this.#inTurn > 0) this.#serveIn(Math.max(leastAgainMs, this.#freeInMs()));
  }

  #serveIn(ms: number): void {
    this.#disarm = this.#clock.after(ms, () => this.#serve());
  }

  /** Milliseconds until a turn is free, behind the reserved ones; negative if it has been free for a while. */
  #freeInMs(): number {
    return this.#nextMs - (this.#burst - 1) * this.#everyMs - this.#nowMs();
  }

  /** Takes the next turn and returns its time. */
  #takeTurn(): number {
    const nowMs = this.#nowMs();
    const atMs = Math.max(nowMs, nowMs + this.#freeInMs());
    this.#nextMs = Math.max(this.#nextMs, nowMs) + this.#everyMs;
    return atMs;
  }

  /** Uses a turn, and returns the milliseconds until its call may be sent: a caller that comes late to its turn keeps the distance to the call before. */
  #sendIn(turnMs: number): number {
    const nowMs = this.#nowMs();
    const distanceMs = this.#burst > 1 ? 0 : this.#everyMs;
    this.#lastMs = Math.max(nowMs, turnMs, this.#lastMs + distanceMs);
    this.#nextMs = Math.max(this.#nextMs, this.#lastMs + distanceMs);
    return this.#lastMs - nowMs;
  }

  #expire(): void {
    const nowMs = this.#nowMs();
    for (const [ticket, turnMs] of this.#reserved) if (turnMs + promiseMs < nowMs) this.#reserved.delete(ticket);
    for (const [ticket, { backAtMs }] of this.#asking) if (backAtMs + forgetMs < nowMs) this.#forget(ticket);
  }

  #nowMs(): number {
    return this.#clock.monotonicMs();
  }
}

/**
 * The pauses that the provider asked for, by what they hold for (a credential, or a method). A client that goes on sending requests during a
 * pause is limited for longer and may be banned. Source: GitHub, "Best practices for using the REST API", handle rate limit errors.
 */
export interface Pauses {
  /** Milliseconds until the pause ends, or 0 if there is none. */
  leftMs(of: string): number;
  /** Records that the provider asked to wait. */
  asked(of: string, waitMs: number): void;
}

/** Creates the list of pauses of one sign-in. */
export function createPauses(clock: Clock): Pauses {
  const untilMs = new Map<string, number>();
  const nowMs = (): number => clock.now().getTime();
  return {
    leftMs(of) {
      const leftMs = (untilMs.get(of) ?? 0) - nowMs();
      if (leftMs > 0) return leftMs;
      untilMs.delete(of);
      return 0;
    },
    asked(of, waitMs) {
      const until = nowMs() + Math.min(waitMs, maxPauseMs);
      untilMs.set(of, Math.max(until, untilMs.get(of) ?? 0));
    },
  };
}

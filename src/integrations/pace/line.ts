import { urgencies, type Urgency } from "./urgency.ts";

/** A call that waits for its turn. */
export interface Waiting {
  urgency: Urgency;
  /** Of a call that waits in a running function: sends it. */
  go?: () => void;
  /** Of a call that asks again later: when, on the monotonic clock. */
  backAtMs: number;
}

/**
 * How many calls of other urgencies may overtake a kind of call in a row; then one of it is next. So nothing waits for ever, and the first signs of
 * life lose little.
 */
const patience: Record<Urgency, number> = { Acknowledgement: 0, Answer: 9, Progress: 19, Recovery: 9 };

/** A caller that asks again may be this late before others take its turn; it keeps its place. */
const lateMs = 2_000;
/** The waiting calls in the order in which they will be sent: by urgency, and then by age. */
export interface Line {
  add(waiting: Waiting): void;
  remove(waiting: Waiting): void;
  /** The call whose turn it is, if its caller is there: `asker` is. A caller that asks again later is expected around that time. */
  first(nowMs: number, asker?: Waiting): Waiting | undefined;
  /** Removes the call whose turn it is. */
  serve(waiting: Waiting): void;
  /** How many calls will be sent before this one, if no other joins. */
  ahead(waiting: Waiting): number;
}

/** Creates an empty line. `everyMs` is the time between two calls. */
export function createLine(everyMs: number): Line {
  const lanes = Object.fromEntries(urgencies.map((urgency) => [urgency, new Set<Waiting>()])) as Lanes;
  let overtaken = noneOvertaken();

  const isThere = ({ go, backAtMs }: Waiting, nowMs: number): boolean =>
    go !== undefined || (backAtMs - everyMs / 2 <= nowMs && nowMs <= backAtMs + lateMs);

  return {
    add: (waiting) => void lanes[waiting.urgency].add(waiting),
    remove: (waiting) => void lanes[waiting.urgency].delete(waiting),
    first(nowMs, asker) {
      const there = (urgency: Urgency): Waiting | undefined =>
        firstOf(lanes[urgency], (one) => one === asker || isThere(one, nowMs));
      const urgency = nextOf((one) => there(one) !== undefined, overtaken);
      return urgency && there(urgency);
    },
    serve(waiting) {
      lanes[waiting.urgency].delete(waiting);
      overtaken = afterOne(waiting.urgency, (urgency) => lanes[urgency].size > 0, overtaken);
    },
    ahead: (waiting) => aheadOf(waiting, lanes, overtaken),
  };
}

type Lanes = Record<Urgency, Set<Waiting>>;
type Overtaken = Record<Urgency, number>;

function noneOvertaken(): Overtaken {
  return { Acknowledgement: 0, Answer: 0, Progress: 0, Recovery: 0 };
}

function nextOf(waits: (urgency: Urgency) => boolean, overtaken: Overtaken): Urgency | undefined {
  const waiting = urgencies.filter(waits);
  return waiting.find((urgency) => patience[urgency] > 0 && overtaken[urgency] >= patience[urgency]) ?? waiting[0];
}

function afterOne(served: Urgency, waits: (urgency: Urgency) => boolean, overtaken: Overtaken): Overtaken {
  const next = noneOvertaken();
  for (const urgency of urgencies) if (urgency !== served && waits(urgency)) next[urgency] = overtaken[urgency] + 1;
  return next;
}

/** Plays the line forward, with numbers instead of calls. */
function aheadOf(waiting: Waiting, lanes: Lanes, before: Overtaken): number {
  const left = Object.fromEntries(urgencies.map((urgency) => [urgency, lanes[urgency].size])) as Record<
    Urgency,
    number
  >;
  let place = [...lanes[waiting.urgency]].indexOf(waiting);
  let overtaken = before;
  const waits = (urgency: Urgency): boolean => left[urgency] > 0;
  for (let ahead = 0; ; ahead++) {
    const next = nextOf(waits, overtaken);
    if (next === undefined || (next === waiting.urgency && place-- <= 0)) return ahead;
    left[next] -= 1;
    overtaken = afterOne(next, waits, overtaken);
  }
}

function firstOf<T>(all: Iterable<T>, fits: (one: T) => boolean): T | undefined {
  for (const one of all) if (fits(one)) return one;
  return undefined;
}

import type { Clock } from "../../shared/clock.ts";
import { describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { delayMs } from "../../shared/backoff.ts";
import { type Broker, persistently } from "../broker.ts";
import type { FollowedEvent } from "./follow-events.ts";
import type { StateFile } from "./state.ts";

/** Sends events to the broker in batches and in order. A batch is retried until the broker accepts it. */
export interface EventDelivery {
  add(events: readonly FollowedEvent[]): void;
  /** Sends a batch if one is due and no other is being sent; never throws. */
  tick(): void;
  /** Sends all remaining events, for at most `forMs`; never throws. */
  flush(forMs: number): Promise<void>;
}

/** Dependencies of the event delivery. */
export interface DeliveryDeps {
  clock: Clock;
  log: Logger;
  broker: Pick<Broker, "events">;
  state: StateFile;
}

const maxAgeMs = 5000;
const maxBatchBytes = 1_000_000;
const maxBatchEvents = 1000;
const backoff = { baseMs: 1000, maxMs: 30_000, jitter: 0.2 };

/**
 * Sends a batch after 5 s, or as soon as it has 1 MB or 1,000 events. The number of accepted events is stored, so that a restarted courier
 * continues after them.
 */
export function deliverEvents(deps: DeliveryDeps): EventDelivery {
  const { clock, state } = deps;
  const queue: FollowedEvent[] = [];
  let oldestMs = 0;
  let notBeforeMs = 0;
  let failures = 0;
  let sending: Promise<void> | undefined;

  function due(): boolean {
    const nowMs = clock.now().getTime();
    if (queue.length === 0 || sending !== undefined || nowMs < notBeforeMs) return false;
    return nowMs - oldestMs >= maxAgeMs || queue.length >= maxBatchEvents || sizeOf(queue) >= maxBatchBytes;
  }

  async function sendOne(): Promise<void> {
    const batch = nextBatch(queue);
    const last = batch.at(-1);
    if (last === undefined) return;
    const { sequence } = state.state;
    await deps.broker.events({ sequence, events: batch.map(({ event }) => event) });
    queue.splice(0, batch.length);
    oldestMs = clock.now().getTime();
    state.save({ ackedBytes: last.endBytes, sequence: sequence + batch.length });
  }

  async function tryOne(): Promise<void> {
    try {
      await sendOne();
      failures = 0;
    } catch (error) {
      notBeforeMs = clock.now().getTime() + delayMs(backoff, ++failures);
      deps.log.warn({ error: describeError(error), failures }, "could not send events; trying again");
    }
  }

  return {
    add(events) {
      if (queue.length === 0) oldestMs = clock.now().getTime();
      queue.push(...events);
    },
    tick() {
      if (!due()) return;
      sending = tryOne().finally(() => (sending = undefined));
    },
    async flush(forMs) {
      await sending;
      try {
        while (queue.length > 0) await persistently(sendOne, { clock, forMs });
      } catch (error) {
        deps.log.warn({ error: describeError(error), lost: queue.length }, "could not send the last events");
      }
    },
  };
}

function sizeOf(events: readonly FollowedEvent[]): number {
  return events.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function nextBatch(queue: readonly FollowedEvent[]): FollowedEvent[] {
  let bytes = 0;
  const end = queue.findIndex((event, index) => (bytes += event.sizeBytes) > maxBatchBytes && index > 0);
  return queue.slice(0, Math.min(end < 0 ? queue.length : end, maxBatchEvents));
}

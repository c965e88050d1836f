import { AsyncLocalStorage } from "node:async_hooks";

/** The place that a piece of work holds among a bounded number of workers. */
export interface Worker {
  /** The work only waits from here on: other work may take its place. */
  release(): void;
  /** The work continues. It never waits for a place, so for a moment there may be one worker more. */
  resume(): void;
}

interface Held {
  worker: Worker;
  /** How many parts of the work wait at the moment. */
  waits: number;
}

const current = new AsyncLocalStorage<Held>();

/** Runs work that holds a worker. */
export function onWorker<T>(worker: Worker, run: () => Promise<T>): Promise<T> {
  return current.run({ worker, waits: 0 }, run);
}

/**
 * Waits without holding the worker of the current work; outside of any work it only waits. For waits that take long and cost nothing, such as
 * the wait for a provider's pace: they must not keep others from working.
 */
export async function withoutWorker<T>(wait: Promise<T>): Promise<T> {
  const held = current.getStore();
  if (!held) return wait;
  if (held.waits++ === 0) held.worker.release();
  try {
    return await wait;
  } finally {
    if (--held.waits === 0) held.worker.resume();
  }
}

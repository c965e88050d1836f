import type { KubeObject } from "../../kube/types.ts";
import { describeError } from "../../shared/errors.ts";

/** Concurrent calls: 5,000 objects take seconds, with little load for the API server. */
const parallel = 16;

/** Results of the work on many objects. */
export interface Tally {
  /** Objects that were changed. */
  changed: number;
  failed: number;
  /** The first failure, with the object. */
  why?: string;
}

/**
 * Calls `work` for every object, several at the same time. `work` returns whether it changed anything. A failed object is counted and does not
 * stop the others. Throws if `signal` aborts.
 */
export async function eachObject<T extends KubeObject>(
  objects: readonly T[],
  work: (object: T) => Promise<boolean>,
  signal: AbortSignal,
): Promise<Tally> {
  const tally: Tally = { changed: 0, failed: 0 };
  const left = objects.values();
  await Promise.all(Array.from({ length: parallel }, () => workThrough(left, work, { tally, signal })));
  return tally;
}

/** One of several workers on the same iterator. */
async function workThrough<T extends KubeObject>(
  objects: Iterable<T>,
  work: (object: T) => Promise<boolean>,
  { tally, signal }: { tally: Tally; signal: AbortSignal },
): Promise<void> {
  for (const object of objects) {
    try {
      if (await work(object)) tally.changed += 1;
    } catch (error) {
      signal.throwIfAborted();
      const { namespace, name } = object.metadata;
      tally.failed += 1;
      tally.why ??= `${object.kind} ${namespace}/${name}: ${describeError(error)}`;
    }
  }
}

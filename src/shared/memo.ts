import type { Clock } from "./clock.ts";

const maxEntries = 1000;

/**
 * Caches the result of `load` per key for a limited time. Failures, and `undefined` for something that does not exist, are not cached: it is seen
 * as soon as somebody repairs or creates it. If the cache is full, the oldest entry is dropped.
 */
export type Memo<T> = (key: string, load: () => Promise<T>) => Promise<T>;

/** Creates a cache whose entries expire after `ttlMs`. */
export function createMemo<T>(clock: Clock, ttlMs: number): Memo<T> {
  const entries = new Map<string, { value: T; untilMs: number }>();
  return async (key, load) => {
    const known = entries.get(key);
    if (known && known.untilMs > clock.now().getTime()) return known.value;
    const value = await load();
    entries.delete(key);
    if (value !== undefined) entries.set(key, { value, untilMs: clock.now().getTime() + ttlMs });
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return value;
  };
}

import type { Clock } from "../../../shared/clock.ts";

const maxEntries = 1000;

/** Remembers what `load` gave for a key, for a time; failures are not remembered, and the oldest entries go first. */
export type Memo<T> = (key: string, load: () => Promise<T>) => Promise<T>;

/** Creates a memory whose entries live `ttlMs`. */
export function createMemo<T>(clock: Clock, ttlMs: number): Memo<T> {
  const entries = new Map<string, { value: T; untilMs: number }>();
  return async (key, load) => {
    const known = entries.get(key);
    if (known && known.untilMs > clock.now().getTime()) return known.value;
    const value = await load();
    entries.delete(key);
    entries.set(key, { value, untilMs: clock.now().getTime() + ttlMs });
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return value;
  };
}

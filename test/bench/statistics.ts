/** Pause between two lines of progress. */
const quietMs = 2_000;

/** One measurement of one side of a comparison. Returns a rate, a time or a size. */
export type Side = (round: number) => Promise<number> | number;

/** The value below which this fraction of the values lies: 0.5 is the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
}

/** The median of some values, with minimum and maximum: `median 3.1 (2.9 to 3.4)`. */
export function spread(values: readonly number[], digits: number): string {
  const at = (part: number): string => quantile(values, part).toFixed(digits);
  return `median ${at(0.5)} (${at(0)} to ${at(1)})`;
}

/** Logs progress, at most one line in two seconds. */
export function sparingly(log: (line: string) => void): (line: string) => void {
  let loggedMs = performance.now();
  return (line) => {
    if (performance.now() - loggedMs < quietMs) return;
    loggedMs = performance.now();
    log(line);
  };
}

/** Duration of a call, in milliseconds. */
export async function msOf(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Processor time that a call takes in this thread, in milliseconds. Other work of the machine does not count. */
export function processorMsOf(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/**
 * Measures several sides `count` times. The order of the sides alternates, so that neither a slow minute of the machine nor the place in the
 * order favours one side. By default a warm-up round comes first; it is not in the result. Logs progress between rounds, every 2 s or so.
 */
export async function rounds<Name extends string>(
  count: number,
  sides: Readonly<Record<Name, Side>>,
  log: (line: string) => void,
  { warmUp = true } = {},
): Promise<Record<Name, number>[]> {
  const names = Object.keys(sides) as Name[];
  const results: Record<Name, number>[] = [];
  const progress = sparingly(log);
  for (let round = warmUp ? 0 : 1; round <= count; round++) {
    const result: Partial<Record<Name, number>> = {};
    for (const name of round % 2 === 0 ? names : names.toReversed()) result[name] = await sides[name](round);
    if (round > 0) results.push(result as Record<Name, number>);
    progress(`round ${round} of ${count}`);
  }
  return results;
}

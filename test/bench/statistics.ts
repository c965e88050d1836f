/** How long nothing is logged before the next line of progress. */
const quietMs = 2_000;

/** One measurement of one side of a comparison. Gives its figure: a rate, a time, a size. */
export type Side = (round: number) => Promise<number> | number;

/** The middle of some values, with the least and the greatest: `median 3.1 (2.9 to 3.4)`. */
export function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(digits);
  return `median ${at(0.5)} (${at(0)} to ${at(1)})`;
}

/**
 * Measures several sides `count` times. The order of the sides alternates, so that neither a slow minute of the machine nor the place in the
 * order favours one. Round 0 only warms up: it is not in the result. Logs a line of progress every 2 s or so, between rounds.
 */
export async function rounds<Name extends string>(
  count: number,
  sides: Readonly<Record<Name, Side>>,
  log: (line: string) => void,
): Promise<Record<Name, number>[]> {
  const names = Object.keys(sides) as Name[];
  const results: Record<Name, number>[] = [];
  let loggedMs = performance.now();
  for (let round = 0; round <= count; round++) {
    const result: Partial<Record<Name, number>> = {};
    for (const name of round % 2 === 0 ? names : names.toReversed()) result[name] = await sides[name](round);
    if (round > 0) results.push(result as Record<Name, number>);
    if (performance.now() - loggedMs < quietMs) continue;
    loggedMs = performance.now();
    log(`round ${round} of ${count}`);
  }
  return results;
}

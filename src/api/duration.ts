const unitsMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000 };

/** Converts a duration such as `90s`, `45m` or `1h30m` to milliseconds. The schema of the CRD has already rejected any other text. */
export function durationMs(text: string): number {
  const parts = [...text.matchAll(/([0-9]+)([hms])/g)];
  if (parts.length === 0) throw new RangeError(`"${text}" is not a duration such as 90s, 45m or 1h30m`);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit ?? ""] ?? 0), 0);
}

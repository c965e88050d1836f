import type { ReportSources } from "./text.ts";

/** Time from the first sandbox to the end of the task (or now), such as `6 m 02 s`. Whole minutes while it runs, so that the report is not edited every second. */
export function elapsed({ task, now }: Pick<ReportSources, "task" | "now">): string {
  const { startTime, completionTime } = task.status ?? {};
  if (startTime === undefined) return "";
  const seconds = Math.max(
    0,
    Math.round((Date.parse(completionTime ?? now.toISOString()) - Date.parse(startTime)) / 1000),
  );
  const minutes = Math.floor(seconds / 60);
  if (completionTime === undefined) return minutes === 0 ? "less than a minute" : `${minutes} m`;
  return minutes === 0 ? `${seconds} s` : `${minutes} m ${String(seconds % 60).padStart(2, "0")} s`;
}

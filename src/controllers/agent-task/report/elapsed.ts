import type { ReportSources } from "./text.ts";

/** `6 m 02 s`, from the first sandbox to the end (or now). Whole minutes while it runs, so that not every second is an edit. */
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

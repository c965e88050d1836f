import { setTimeout as pause } from "node:timers/promises";

/** Options of `until`. */
export interface WaitOptions {
  /** The expected event, for the error message. */
  what: string;
  timeoutMs: number;
  everyMs?: number;
  /** Text for the end of the error message, for example a log. */
  detail?: () => string;
}

/** Calls `probe` until it returns something other than undefined or false, and returns that. Throws after `timeoutMs`. */
export async function until<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() >= deadline) break;
    await pause(options.everyMs ?? 100);
  }
  const detail = options.detail?.() ?? "";
  throw new Error(
    `timed out after ${Math.round(options.timeoutMs / 1000)} s, waiting for: ${options.what}.${detail && `\n${detail}`}`,
  );
}

import { setTimeout as pause } from "node:timers/promises";

/** Options of `until`. */
export interface WaitOptions {
  /** The awaited event, for the error message. */
  what: string;
  timeoutMs: number;
  everyMs?: number;
  /** The end of the message: the output of the awaited part. */
  detail?: () => string;
}

/** Asks until `probe` answers something other than undefined or false, and returns that; throws after `timeoutMs`. */
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
  throw new Error(`${options.what}: not within ${Math.round(options.timeoutMs / 1000)} s.${detail && `\n${detail}`}`);
}

import { setTimeout as pause } from "node:timers/promises";

/** What `until` waits with. */
export interface WaitOptions {
  /** What is waited for, in the message when it does not come. */
  what: string;
  timeoutMs: number;
  everyMs?: number;
  /** The end of the message: what the thing said meanwhile. */
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

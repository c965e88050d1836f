import type { ManagedController } from "../kube/manager.ts";
import { delayMs } from "../shared/backoff.ts";
import { sleep, type Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";

const backoff = { baseMs: 200, maxMs: 15_000, jitter: 0.3 };

/** What beginning to lead needs. */
export interface LeadingDeps {
  clock: Clock;
  log: Logger;
  /** Reads what the last leader left; tried until it works. */
  prepare: (signal: AbortSignal) => Promise<void>;
  controllers: readonly ManagedController[];
}

/** Controllers that begin only when what the last leader left has been read. */
export function leading(deps: LeadingDeps): ManagedController {
  let begun: Promise<void> | undefined;
  return {
    name: "leading",
    start(signal) {
      begun = begin(deps, signal);
    },
    async drain() {
      await begun;
      await Promise.all(deps.controllers.map((controller) => controller.drain()));
    },
  };
}

async function begin(deps: LeadingDeps, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    try {
      await deps.prepare(signal);
      for (const controller of deps.controllers) controller.start(signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({ error }, "what the last leader left could not be read; trying again");
      await sleep(deps.clock, delayMs(backoff, ++failures), signal).catch(() => undefined);
    }
  }
}

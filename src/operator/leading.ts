import type { ManagedController } from "../kube/manager.ts";
import { delayMs } from "../shared/backoff.ts";
import { sleep, type Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";

const backoff = { baseMs: 200, maxMs: 15_000, jitter: 0.3 };

/** Dependencies of the start of leading. */
export interface LeadingDeps {
  clock: Clock;
  log: Logger;
  /** Reads the state that the last leader left; retried until it succeeds. */
  prepare: (signal: AbortSignal) => Promise<void>;
  controllers: readonly ManagedController[];
}

/** Wraps controllers so that they start only when the state of the last leader has been read. */
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
      deps.log.warn({ error }, "could not read the state of the last leader, will retry");
      await sleep(deps.clock, delayMs(backoff, ++failures), signal).catch(() => undefined);
    }
  }
}

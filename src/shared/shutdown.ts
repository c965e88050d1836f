import type { Logger } from "./log.ts";

/** Steps run in reverse order of their registration, each once, when the process is asked to stop. */
export interface Shutdown {
  /** Aborted as soon as stopping begins. */
  readonly signal: AbortSignal;
  onStop(name: string, step: () => Promise<void> | void): void;
  /** Starts stopping (idempotent) and resolves when every step has run. */
  stop(reason: string): Promise<void>;
}

/** Creates the shutdown of one process. */
export function createShutdown(log: Logger): Shutdown {
  const abort = new AbortController();
  const steps: { name: string; step: () => Promise<void> | void }[] = [];
  let stopping: Promise<void> | undefined;

  const shutdown: Shutdown = {
    signal: abort.signal,
    onStop: (name, step) => void steps.push({ name, step }),
    stop: (reason) => (stopping ??= runAll(reason)),
  };

  async function runAll(reason: string): Promise<void> {
    log.info({ reason }, "stopping");
    abort.abort(new Error(`stopping: ${reason}`));
    for (const { name, step } of steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        log.error({ error, step: name }, "a shutdown step failed");
      }
    }
    log.info({ reason }, "stopped");
  }

  return shutdown;
}

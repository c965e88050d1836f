import { describeError, errorCode } from "./errors.ts";
import { createLogger, type Logger } from "./log.ts";
import { createShutdown, type Shutdown } from "./shutdown.ts";

/** Dependencies of the start function of a process. */
export interface ProcessParts {
  log: Logger;
  shutdown: Shutdown;
}

/** How long a failed process may take for its shutdown steps. */
const orderlyEndMs = 15_000;

/**
 * Runs one process from its first line to its exit code. `start` resolves when the process works, or when all of it has ended. SIGTERM and
 * SIGINT stop it, also while it starts: it exits 0 when `start` and the shutdown steps are done. Any other failure is logged in one line, and
 * the process exits 1 after the same steps.
 */
export async function runProcess(name: string, start: (parts: ProcessParts) => Promise<void>): Promise<never> {
  const log = createLogger(name);
  const shutdown = createShutdown(log);
  // Keeps the process alive until there is an exit code: timers of the shared clock do not.
  setInterval(() => {}, 60_000);
  const { promise: verdict, resolve: end } = Promise.withResolvers<{ code: 0 | 1; reason: string }>();
  const fail = (error: unknown): void => {
    log.error({ error, code: errorCode(error), why: describeError(error) }, "the process failed");
    end({ code: 1, reason: "a failure" });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end({ code: 0, reason: signal }));
  // Also for uncaught errors and rejected promises.
  process.on("uncaughtException", fail);
  const started = start({ log, shutdown }).catch((error: unknown) => {
    // An error because of the stop itself is not a failure.
    if (!shutdown.signal.aborted) fail(error);
  });
  const { code, reason } = await verdict;
  if (code === 1) setTimeout(() => process.exit(code), orderlyEndMs);
  await shutdown.stop(reason);
  await started;
  process.exit(code);
}

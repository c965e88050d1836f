import { describeError, errorCode } from "./errors.ts";
import { createLogger, type Logger } from "./log.ts";
import { createShutdown, type Shutdown } from "./shutdown.ts";

/** What a process of ours begins with. */
export interface ProcessParts {
  log: Logger;
  shutdown: Shutdown;
}

/** How long a process that failed may take to put its things in order. */
const orderlyEndMs = 15_000;

/**
 * Runs one process from its first line to its exit code. `start` resolves when the process works, or when all of it has ended. SIGTERM and
 * SIGINT stop it, also while it starts: it exits 0 when `start` and the steps of the shutdown are done. Whatever goes wrong beyond that is one
 * line in the log, and after the same steps it exits 1.
 */
export async function runProcess(name: string, start: (parts: ProcessParts) => Promise<void>): Promise<never> {
  const log = createLogger(name);
  const shutdown = createShutdown(log);
  // Timers of the shared clock do not keep a process alive; this does, until there is an exit code.
  setInterval(() => {}, 60_000);
  const { promise: verdict, resolve: end } = Promise.withResolvers<{ code: 0 | 1; reason: string }>();
  const fail = (error: unknown): void => {
    log.error({ error, code: errorCode(error), why: describeError(error) }, "cannot go on");
    end({ code: 1, reason: "a failure" });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end({ code: 0, reason: signal }));
  // Also what nobody caught anywhere, rejected promises among it.
  process.on("uncaughtException", fail);
  const started = start({ log, shutdown }).catch((error: unknown) => {
    // What fails because we were told to stop is no failure.
    if (!shutdown.signal.aborted) fail(error);
  });
  const { code, reason } = await verdict;
  if (code === 1) setTimeout(() => process.exit(code), orderlyEndMs);
  await shutdown.stop(reason);
  await started;
  process.exit(code);
}

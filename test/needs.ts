import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why a test was skipped. vitest's own note is not in its JSON report, and this is: `make ci` shows it. */
    whySkipped?: string;
  }
}

/**
 * Skips a test, with the reason, if this machine lacks something; does nothing if `lacks` is undefined. Call it in the test or in `beforeEach`.
 * Skip tests only in this way: a test that is filtered out or returns early looks as if it had passed.
 */
export function skipWhereLacking(context: TestContext, lacks: string | undefined): void {
  if (lacks === undefined) return;
  context.task.meta.whySkipped = lacks;
  context.skip(lacks);
}

/** Skips a test that reads a file beside this checkout, which a user's clone does not have. */
export function needsFile(context: TestContext, file: URL): void {
  skipWhereLacking(context, existsSync(file) ? undefined : `there is no ${fileURLToPath(file)}`);
}

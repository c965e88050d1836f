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
 * Skips a test, with the reason, where this machine lacks something; goes on where `lacks` is undefined. Call it in the test or in `beforeEach`.
 * The one way to leave a test out: what is filtered away or returns early looks as if it had passed.
 */
export function skipWhereLacking(context: TestContext, lacks: string | undefined): void {
  if (lacks === undefined) return;
  context.task.meta.whySkipped = lacks;
  context.skip(lacks);
}

/** Skips a test that reads a file which lies beside this checkout, and not in a user's clone. */
export function needsFile(context: TestContext, file: URL): void {
  skipWhereLacking(context, existsSync(file) ? undefined : `there is no ${fileURLToPath(file)}`);
}

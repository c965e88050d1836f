import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import { describeError } from "../../src/shared/errors.ts";
import type { PrepareOptions } from "./daemons.ts";
import { type Progress, startProgress } from "./progress.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The file in which `prepare` records whether the preparation succeeded. */
    preparedFile: string;
  }
}

/**
 * Starts the preparation that the tests of a project need, and returns at once. vitest runs every global set-up before the first test, so
 * the tests of other projects can run meanwhile. The tests of this project wait in prepared-setup.ts, and fail if the preparation failed.
 * `work` may return the reason why this machine cannot run them, so that they are skipped. Returns the function that ends the preparation and
 * cleans up.
 */
export function prepare(
  project: Pick<TestProject, "provide">,
  work: (given: Required<Omit<PrepareOptions, "begun">>) => Promise<string | void>,
): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-prepared-"));
  const file = join(folder, "outcome.json");
  project.provide("preparedFile", file);
  const abort = new AbortController();
  const settled = work({ say: print, progress: progressOfProcess(), signal: abort.signal }).then(
    (lacks) => write(file, lacks === undefined ? {} : { lacks }),
    (error: unknown) => write(file, { error: describeError(error) }),
  );
  return async () => {
    abort.abort(new Error("the tests are over"));
    await settled;
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Waits until a preparation has ended, and returns what this machine lacks, if anything. Throws its error if it failed. */
export async function prepared(file: string): Promise<{ lacks?: string }> {
  while (!existsSync(file)) await pause(100);
  const { error, ...outcome } = JSON.parse(readFileSync(file, "utf8")) as Outcome;
  if (error !== undefined) throw new Error(error);
  return outcome;
}

interface Outcome {
  error?: string;
  lacks?: string;
}

/** Writes the file atomically. */
function write(file: string, outcome: Outcome): void {
  writeFileSync(`${file}.new`, JSON.stringify(outcome));
  renameSync(`${file}.new`, file);
}

/**
 * The one progress line of all projects. It is kept in a global, because vitest loads this module once for each project, in the same
 * process.
 */
function progressOfProcess(): Progress {
  const all = globalThis as { [key: symbol]: Progress | undefined };
  return (all[Symbol.for("bellhop.progress")] ??= startProgress(print));
}

function print(line: string): void {
  console.log(line);
}

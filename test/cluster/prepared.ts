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
    /** Where `prepare` writes what became of the preparation. */
    preparedFile: string;
  }
}

/**
 * Begins what the tests of a project need, and returns at once: vitest runs every global set-up before the first test, and so the tests of
 * other projects run meanwhile. Those of this project wait in prepared-setup.ts, and fail where the preparation has. Gives the end of it all.
 */
export function prepare(
  project: Pick<TestProject, "provide">,
  work: (given: Required<Omit<PrepareOptions, "begun">>) => Promise<void>,
): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-prepared-"));
  const file = join(folder, "outcome.json");
  project.provide("preparedFile", file);
  const abort = new AbortController();
  const settled = work({ say: print, progress: progressOfProcess(), signal: abort.signal }).then(
    () => write(file, {}),
    (error: unknown) => write(file, { error: describeError(error) }),
  );
  return async () => {
    abort.abort(new Error("the tests are over"));
    await settled;
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Waits for the end of a preparation. Throws what it threw. */
export async function prepared(file: string): Promise<void> {
  while (!existsSync(file)) await pause(100);
  const { error } = JSON.parse(readFileSync(file, "utf8")) as Outcome;
  if (error !== undefined) throw new Error(error);
}

interface Outcome {
  error?: string;
}

/** Whole or not at all. */
function write(file: string, outcome: Outcome): void {
  writeFileSync(`${file}.new`, JSON.stringify(outcome));
  renameSync(`${file}.new`, file);
}

/** One line says what remains for all projects. Each project's set-up has modules of its own; the process is one. */
function progressOfProcess(): Progress {
  const all = globalThis as { [key: symbol]: Progress | undefined };
  return (all[Symbol.for("bellhop.progress")] ??= startProgress(print));
}

function print(line: string): void {
  console.log(line);
}

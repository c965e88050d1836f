import { globSync, readFileSync } from "node:fs";

/**
 * How many cases a property test tries: `cases` in the project `thorough` of vitest, which `make e2e` runs, and elsewhere `few`, a tenth if absent,
 * so that a slow machine meets its time-outs. Seeds are fixed: a second run on the same code tries the same cases.
 */
export function thorough(cases: number, few: number = cases / 10): number {
  return process.env["BELLHOP_THOROUGH"] ? cases : few;
}

/** The test files that call `thorough`: the project `thorough` runs them again. */
export function thoroughFiles(): string[] {
  return globSync("src/**/*.test.ts").filter((file) => readFileSync(file, "utf8").includes("/test/thorough.ts"));
}

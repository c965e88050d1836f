import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What some step came to. */
interface Count {
  passed: number;
  failed: number;
}

/** The fields of vitest's JSON report that count. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/**
 * What CI runs: every check, then the tests of every level, each to its end whatever came of the one before. The last
 * line is `N passed, N failed`; a check counts as one. Arguments are make targets: checks, then `--`, then tests.
 */
const separator = process.argv.indexOf("--");
const checks = process.argv.slice(2, separator);
const levels = process.argv.slice(separator + 1);

const counts: Count[] = [];
for (const target of checks) counts.push(await check(target));
for (const target of levels) counts.push(await tests(target));
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function check(target: string): Promise<Count> {
  const ok = (await make(target)) === 0;
  console.log(`${target}: ${ok ? "passed" : "FAILED"}`);
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function tests(target: string): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-ci-"));
  const file = join(folder, "report.json");
  try {
    const code = await make(target, `VITEST=--reporter=default --reporter=json --outputFile.json=${file}`);
    const count = existsSync(file)
      ? countOf(JSON.parse(readFileSync(file, "utf8")) as Report)
      : { passed: 0, failed: 0 };
    // Something outside of any test: a set-up of vitest's own, an error that nobody caught, no report at all.
    if (code !== 0 && count.failed === 0) count.failed = 1;
    console.log(`${target}: ${count.passed} passed, ${count.failed} failed`);
    return count;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that failed with no failed test in it, as when its `beforeAll` threw, counts as one. */
function countOf({ numPassedTests, numFailedTests, testResults }: Report): Count {
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  );
  return { passed: numPassedTests, failed: numFailedTests + broken.length };
}

function make(...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn("make", ["--no-print-directory", ...args], { stdio: "inherit" });
    child.once("error", (error) => {
      console.error(`make could not be started: ${error.message}`);
      resolve(127);
    });
    child.once("close", (code) => resolve(code ?? 128));
  });
}

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareDaemons } from "../test/cluster/daemons.ts";
import { nodeSupport } from "../test/cluster/node/support.ts";
import { countOf, type Count, type Report } from "./report.ts";

/**
 * Runs every check, then the tests of every level, each to its end even if an earlier one failed. CI uses it, and `make` with several targets. The
 * last line is `N passed, N failed`, with the number of skipped tests if there are any; a check counts as one. Arguments are make targets: checks,
 * then `--`, then tests.
 */
const separator = process.argv.indexOf("--");
const checks = process.argv.slice(2, separator);
const levels = process.argv.slice(separator + 1);

// The slowest preparation starts before the checks. Tests wait for it, and report its failure.
const testsAreOver = new AbortController();
void daemons().catch(() => {});

const counts: Count[] = [];
for (const target of checks) counts.push(await check(target));
for (const target of levels) counts.push(await tests(target));
testsAreOver.abort();
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
const skipped = counts.flatMap((count) => count.skipped);
for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function daemons(): Promise<void> {
  if (levels.length === 0) return;
  const withNode = levels.includes("e2e") && process.env["BELLHOP_E2E"] !== "off" && (await nodeSupport()).ok;
  const say = (line: string): void => console.log(line);
  await prepareDaemons(withNode ? "node" : "control plane", { say, signal: testsAreOver.signal });
}

async function check(target: string): Promise<Count> {
  const ok = (await make(target)) === 0;
  console.log(`${target}: ${ok ? "passed" : "FAILED"}`);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] };
}

async function tests(target: string): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-ci-"));
  const file = join(folder, "report.json");
  try {
    const more = process.env["VITEST"] ?? "";
    const code = await make(target, `VITEST=${more} --reporter=default --reporter=json --outputFile.json=${file}`);
    const count = existsSync(file) ? countOf(JSON.parse(readFileSync(file, "utf8")) as Report) : nothing();
    // A failure outside of any test (a set-up of vitest, an uncaught error), or no test ran at all.
    if (count.failed === 0 && (code !== 0 || count.passed === 0)) count.failed = 1;
    console.log(`${target}: ${count.passed} passed, ${count.failed} failed`);
    return count;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nothing(): Count {
  return { passed: 0, failed: 0, skipped: [] };
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

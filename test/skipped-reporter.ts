import type { Reporter, TestCase } from "vitest/node";

/** Lists at the end of a run what was left out and why; vitest's own reporter only counts it. */
export const skippedReporter: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests("skipped")]);
    for (const line of tests.flatMap(lineOf)) process.stdout.write(`${line}\n`);
  },
};

/** Nothing for tests that a filter (`-t`) left out: they have no reason. */
function lineOf(test: TestCase): string[] {
  const { whySkipped } = test.meta();
  return whySkipped === undefined ? [] : [`skipped: ${test.fullName}: ${whySkipped}`];
}

import type { Reporter, TestCase } from "vitest/node";

/** Lists the skipped tests with their reasons at the end of a run; vitest's own reporter only counts them. */
export const skippedReporter: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests("skipped")]);
    for (const line of tests.flatMap(lineOf)) process.stdout.write(`${line}\n`);
  },
};

/** Empty for tests that a filter (`-t`) left out: they have no reason. */
function lineOf(test: TestCase): string[] {
  const { whySkipped } = test.meta();
  return whySkipped === undefined ? [] : [`skipped: ${test.fullName}: ${whySkipped}`];
}

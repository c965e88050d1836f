/** The result of one step. */
export interface Count {
  passed: number;
  failed: number;
  /** Tests that cannot run on this machine: `name: reason`, or only the name if no reason was given. */
  skipped: string[];
}

/** The fields of vitest's JSON report that we use. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: Result[] }[];
}

/** One test. */
interface Result {
  status: string;
  fullName: string;
  /** `whySkipped` comes from test/needs.ts. */
  meta?: { whySkipped?: string };
}

/** Vitest's states of tests that did not run. */
const didNotRun = new Set(["skipped", "pending", "todo", "disabled"]);

/** Counts a report. A file that failed with no failed test in it, as when its `beforeAll` threw, counts as one. */
export function countOf({ numPassedTests, numFailedTests, testResults }: Report): Count {
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  );
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const skipped = tests.filter(({ status }) => didNotRun.has(status)).map(nameAndReason);
  return { passed: numPassedTests, failed: numFailedTests + broken.length, skipped };
}

function nameAndReason({ fullName, meta }: Result): string {
  return meta?.whySkipped === undefined ? fullName : `${fullName}: ${meta.whySkipped}`;
}

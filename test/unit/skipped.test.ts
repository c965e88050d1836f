import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { countOf, type Report } from "../../scripts/report.ts";

const root = join(import.meta.dirname, "..", "..");

/** Vitest's own report on a file of tests, and the output of our reporter. */
function reportOn(tests: string): { report: Report; printed: string } {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-skipped-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const needs = JSON.stringify(join(root, "test", "needs.ts"));
  writeFileSync(join(folder, "some.test.ts"), `import { skipWhereLacking } from ${needs};\n${tests}`);
  const file = join(folder, "report.json");
  const ours = JSON.stringify(join(root, "test", "skipped-reporter.ts"));
  const reporters = `[skippedReporter, ["json", { outputFile: ${JSON.stringify(file)} }]]`;
  writeFileSync(
    join(folder, "vitest.config.ts"),
    `import { skippedReporter } from ${ours};\nexport default { test: { globals: true, reporters: ${reporters} } };`,
  );
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { stdout } = spawnSync(process.execPath, [vitest, "run", "--root", folder], { encoding: "utf8" });
  return { report: JSON.parse(readFileSync(file, "utf8")) as Report, printed: stdout };
}

it("a test that cannot run on a machine is reported as skipped, with the reason; otherwise it runs", () => {
  const { report, printed } = reportOn(`
    it("lands", (context) => skipWhereLacking(context, "there is no moon"));
    it("flies", (context) => skipWhereLacking(context, undefined));
    describe("a crew", () => {
      beforeEach((context) => skipWhereLacking(context, "there are no suits"));
      it("walks", () => { throw new Error("it ran"); });
    });
  `);
  expect(countOf(report)).toEqual({
    passed: 1,
    failed: 0,
    skipped: ["lands: there is no moon", "a crew walks: there are no suits"],
  });
  expect(printed).toContain("skipped: lands: there is no moon\nskipped: a crew > walks: there are no suits\n");
});

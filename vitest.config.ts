import { defineConfig } from "vitest/config";
import { skippedReporter } from "./test/skipped-reporter.ts";
import { thoroughFiles } from "./test/thorough.ts";

/** What all tests share: how things compare, and how long `expect.poll` waits on a busy machine. */
const shared = { setupFiles: ["test/expect.ts"], expect: { poll: { timeout: 45_000 } } };
/** For projects whose global set-up prepares something: their tests wait for it, while others run. */
const prepared = { ...shared, setupFiles: [...shared.setupFiles, "test/cluster/prepared-setup.ts"] };

/**
 * Levels (CONTRIBUTING.md): `unit` needs nothing, `cluster` a real API server, `journey` every process of ours on one, `thorough`
 * the property tests with all their cases, `chaos` the journey while something goes wrong, `e2e` a real node. They run one after the other. Many unit tests wait for processes (git, an agent) rather
 * than work themselves, so more of them run at once than there are cores; a journey is a dozen processes. Time-outs only bound what hangs.
 */
export default defineConfig({
  test: {
    reporters: ["default", skippedReporter],
    projects: [
      {
        test: {
          name: "unit",
          ...shared,
          include: ["src/**/*.test.ts", "test/{unit,providers}/**/*.test.ts"],
          exclude: ["src/**/*.cluster.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 4,
          // Files share a worker's modules, which takes a quarter off: no test replaces a module or leaves one changed.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "cluster",
          ...prepared,
          include: ["src/**/*.cluster.test.ts", "test/{cluster,integration}/**/*.test.ts"],
          exclude: ["test/integration/journey/**"],
          globalSetup: ["test/cluster/global-setup.ts"],
          testTimeout: 90_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "journey",
          ...prepared,
          include: ["test/integration/journey/**/*.test.ts"],
          globalSetup: ["test/cluster/build-setup.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          maxConcurrency: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "thorough",
          ...shared,
          include: thoroughFiles(),
          env: { BELLHOP_THOROUGH: "1" },
          testTimeout: 900_000,
          maxWorkers: 2,
          isolate: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "chaos",
          ...prepared,
          include: ["test/chaos/**/*.test.ts"],
          globalSetup: ["test/cluster/build-setup.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          maxConcurrency: 3,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "e2e",
          ...prepared,
          setupFiles: [...prepared.setupFiles, "test/e2e/each-setup.ts"],
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 900_000,
          maxWorkers: 1,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

/**
 * Three levels (CONTRIBUTING.md): `unit` needs nothing, `cluster` a real API server, `e2e` a real node. Many tests wait for processes (git, a
 * sandbox, a kubelet) rather than work themselves, so more of them run at once than there are cores. Time-outs only bound what hangs.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/{unit,providers}/**/*.test.ts"],
          exclude: ["src/**/*.cluster.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["src/**/*.cluster.test.ts", "test/{cluster,integration,chaos}/**/*.test.ts"],
          globalSetup: ["test/cluster/global-setup.ts"],
          testTimeout: 90_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 900_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});

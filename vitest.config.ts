import { defineConfig } from "vitest/config";

/** Three levels (see docs/testing.md): `unit` needs nothing, `cluster` a real API server, `e2e` a real node. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/{unit,providers}/**/*.test.ts"],
          exclude: ["src/**/*.cluster.test.ts"],
        },
      },
      {
        test: {
          name: "cluster",
          include: ["src/**/*.cluster.test.ts", "test/{cluster,integration,chaos}/**/*.test.ts"],
          globalSetup: ["test/cluster/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
    ],
  },
});

import { describe, expect, it } from "vitest";
import { anIntegration, aTask, aThreadTask, taskCacheOf } from "../agent-task/testing.ts";
import { lastTaskTime } from "./status.ts";

const [early, late] = ["2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"];

describe("lastTaskTime", () => {
  it("is the creation time of the integration's newest task from a delivery", () => {
    const tasks = taskCacheOf([
      aTask({ name: "a", createdAt: early }),
      aTask({ name: "b", createdAt: late }),
      aTask({ name: "from-kubectl", createdAt: "2026-03-01T12:00:00Z", source: { provider: "kubernetes" } }),
      aTask({
        name: "of-another",
        createdAt: "2026-03-01T12:00:00Z",
        spec: { integrationRef: { kind: "GitHubIntegration", name: "till" } },
      }),
    ]);
    expect(lastTaskTime(anIntegration(), tasks)).toBe(late);
  });

  it("stays when its task is deleted, and is absent before the first task", () => {
    const known = { ...anIntegration(), status: { lastTaskTime: late } };
    expect(lastTaskTime(known, taskCacheOf([aTask({ createdAt: early })]))).toBe(late);
    expect(lastTaskTime(known, taskCacheOf([]))).toBe(late);
    expect(lastTaskTime(anIntegration(), taskCacheOf([]))).toBeUndefined();
  });

  it("counts tasks of a chat whose changes go to the integration", () => {
    expect(lastTaskTime(anIntegration(), taskCacheOf([aThreadTask({ createdAt: late })]))).toBe(late);
  });
});

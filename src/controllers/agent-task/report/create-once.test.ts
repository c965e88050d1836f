import { expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { ApiError, isConflict } from "../../../kube/errors.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { silentLogger } from "../../../shared/log.ts";
import type { AgentTaskDeps } from "../deps.ts";
import { runSteps } from "../frame.ts";
import { anIntegration, aTask, noon, plainReporter, taskCacheOf } from "../testing.ts";
import { reportStep } from "./index.ts";

/** An API server with one task, and a thread whose list does not show the newest message yet. */
function aWorld() {
  const versions = [aTask({ conditions: ["Authorized"] })];
  const newest = (): AgentTask => versions.at(-1) ?? aTask();
  const comments: string[] = [];
  const reporter = {
    ...plainReporter,
    create: async (_target: unknown, body: string) => ({ id: String(comments.push(body)), url: "https://x" }),
    update: async () => {},
    find: async () => undefined,
  };
  const kube = {
    get: async () => newest(),
    replaceStatus: async (_kind: unknown, task: AgentTask) => {
      const { resourceVersion } = newest().metadata;
      if (task.metadata.resourceVersion !== resourceVersion) {
        throw new ApiError({ status: 409, reason: "Conflict", message: "newer" });
      }
      versions.push({ ...task, metadata: { ...task.metadata, resourceVersion: String(versions.length + 1) } });
      return newest();
    },
  };
  const deps = {
    kube,
    tasks: { ...taskCacheOf([]), get: newest },
    profiles: { get: () => undefined },
    admission: { verdict: () => ({ state: "Unknown" }) },
    findIntegration: () => ({
      integration: anIntegration({ reporting: { reaction: false } }),
      connect: async () => ({ reporter }),
    }),
    sandbox: { observe: () => ({ state: "Missing" }) },
    events: { normal: () => {}, warning: () => {} },
    clock: new FakeClock(noon),
    log: silentLogger,
    config: {},
  } as unknown as AgentTaskDeps;
  return {
    versions,
    comments,
    reconcile: (task: AgentTask) => runSteps(deps, [reportStep], task, AbortSignal.timeout(5_000)),
  };
}

it("posts a report once, even if the cache shows only the intent, and the provider's list is behind as well", async () => {
  const { versions, comments, reconcile } = aWorld();
  const [first] = versions;
  if (!first) throw new Error("the world begins with a task");
  await reconcile(first);
  const stale = versions.find(({ status }) => status?.report?.intent !== undefined && status.report.id === undefined);
  if (!stale) throw new Error("the intent is written before the message");
  await expect(reconcile(stale)).rejects.toSatisfy(isConflict);
  expect(comments).toHaveLength(1);
  expect(versions.at(-1)?.status?.report?.id).toBe("1");
});

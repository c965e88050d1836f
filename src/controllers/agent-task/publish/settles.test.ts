import { expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { ProviderError } from "../../../integrations/errors.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { silentLogger } from "../../../shared/log.ts";
import type { AgentTaskDeps } from "../deps.ts";
import { runSteps } from "../frame.ts";
import { anIntegration, aProfile, aTask, fakeHost, noon, shaOf, taskCacheOf } from "../testing.ts";
import { publishStep } from "./index.ts";
import { aPushingTask } from "./testing.ts";

const branch = "bellhop/42-fix";
const commit = shaOf("c");

/** A task whose push is allowed, and how often it was written. `tip` is the tip of its branch at the code host. */
function aWorld(tip: string | undefined, failure: ProviderError) {
  const { host } = fakeHost({ branches: tip === undefined ? {} : { [branch]: { sha: tip, protected: false } } });
  const no = (): Promise<never> => Promise.reject(failure);
  const versions = [aPushingTask(commit, { baseRef: "main", headRef: branch, newBranch: true })];
  const newest = (): AgentTask => versions.at(-1) ?? aTask();
  const deps = {
    kube: {
      get: async () => newest(),
      replaceStatus: async (_kind: unknown, task: AgentTask) => versions.push(task) && task,
    },
    tasks: { ...taskCacheOf([]), get: newest },
    profiles: { get: () => aProfile() },
    admission: { verdict: () => ({ state: "Unknown" }) },
    credentials: { allowPush: no },
    findIntegration: () => ({
      integration: anIntegration(),
      connect: async () => ({ codeHost: { ...host, findChange: no } }),
    }),
    sandbox: { observe: () => ({ state: "Running", podUID: "u", since: noon.toISOString() }) },
    events: { normal: () => {}, warning: () => {} },
    clock: new FakeClock(noon),
    log: silentLogger,
    config: {},
  } as unknown as AgentTaskDeps;
  const again = (): Promise<unknown> =>
    runSteps(deps, [publishStep], newest(), AbortSignal.timeout(5_000)).catch((error: unknown) => error);
  return { again, writes: () => versions.length - 1 };
}

it.each([
  { what: "the change cannot be opened", tip: commit },
  { what: "no token can be minted", tip: undefined },
])(
  "shows once why it waits if $what: a status that changed with each try would trigger a reconcile each time",
  async ({ tip }) => {
    for (const failure of ["Unavailable", "Unauthorized"] as const) {
      const error = new ProviderError(failure, "no");
      const { again, writes } = aWorld(tip, error);
      expect(await again()).toBe(error);
      const once = writes();
      expect(await again()).toBe(error);
      expect(writes()).toBe(once);
    }
  },
);

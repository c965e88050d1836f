import { expect, it } from "vitest";
import { AgentTaskKind } from "../../../api/kinds.ts";
import { ProviderError } from "../../../integrations/errors.ts";
import { aConnection, fakeHost } from "../../../integrations/testing.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import { aSandboxProvider } from "../../../sandbox/testing.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { runSteps } from "../frame.ts";
import { integrationOf, noon, shaOf, taskCacheOf, taskCredentials, taskDeps } from "../testing.ts";
import { publishStep } from "./index.ts";
import { aPushingTask } from "./testing.ts";

const branch = "bellhop/42-fix";
const commit = shaOf("c");

/** A task whose push is allowed, and how often it was written. `tip` is the tip of its branch at the code host. */
function aWorld(tip: string | undefined, failure: ProviderError, clock = new FakeClock(noon)) {
  const { host } = fakeHost({ branches: tip === undefined ? {} : { [branch]: { sha: tip, protected: false } } });
  const no = (): Promise<never> => Promise.reject(failure);
  const kube = createFakeClient();
  kube.seed(AgentTaskKind, aPushingTask(commit, { baseRef: "main", headRef: branch, newBranch: true }));
  const newest = () => kube.only(AgentTaskKind);
  const deps = taskDeps({
    kube,
    clock,
    tasks: { ...taskCacheOf([]), get: newest },
    credentials: taskCredentials({ allowPush: no }),
    findIntegration: integrationOf(async () => aConnection({ codeHost: { ...host, findChange: no } })),
    sandbox: aSandboxProvider({ observe: () => ({ state: "Running", podUID: "u", since: noon.toISOString() }) }),
  });
  const again = (): Promise<unknown> =>
    runSteps(deps, [publishStep], newest(), AbortSignal.timeout(5_000)).catch((error: unknown) => error);
  return { again, newest, writes: () => kube.calls.filter(({ verb }) => verb === "replaceStatus").length };
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

it("ends a task a minute after its repository is gone, also if only a token that cannot be minted shows it", async () => {
  const clock = new FakeClock(noon);
  const { again, newest, writes } = aWorld(undefined, new ProviderError("NotFound", "It does not exist."), clock);
  const succeeded = () => newest().status?.conditions?.find(({ type }) => type === "Succeeded");
  expect(await again()).toMatchObject({ requeueAfterMs: expect.any(Number) as number });
  expect(succeeded()).toMatchObject({ status: "Unknown", reason: "NotFound" });
  const once = writes();
  await clock.advance(59_000);
  await again();
  expect(writes()).toBe(once);
  await clock.advance(1_000);
  await again();
  expect(succeeded()).toMatchObject({ status: "False", reason: "RepositoryGone" });
});

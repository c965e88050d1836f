import { beforeEach, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { credentials } from "./credentials.ts";
import { defaultConfig } from "./config.ts";
import type { AgentTaskDeps } from "./deps.ts";
import { runSteps } from "./frame.ts";
import { lifeOf } from "./index.ts";
import { asStep } from "./steps.ts";
import { anIntegration, aProfile, aTask, facts, fakeHost, noon, taskCacheOf } from "./testing.ts";

const attempts = [{ number: 1, podName: "p-1", podUID: "pod-1", startedAt: noon.toISOString() }];
const none = asStep<undefined, never>({
  name: "none",
  concerns: () => false,
  gather: async () => undefined,
  decide: () => ({}),
  apply: async () => undefined,
});

let task: AgentTask;
let closed: boolean;
let suspended: boolean;

beforeEach(() => {
  task = aTask({
    conditions: ["Authorized", "Admitted", "ContextReady", "SandboxReady"],
    status: { startTime: noon.toISOString(), attempts },
  });
  closed = true;
  suspended = true;
});

/** One reconcile of a running task whose token must be renewed; answers its error. */
async function reconcile(): Promise<unknown> {
  const deps = {
    kube: { replaceStatus: async (_type: unknown, written: AgentTask) => (task = written) },
    tasks: taskCacheOf([task]),
    profiles: { get: () => aProfile() },
    admission: { verdict: () => ({ state: "Unknown" }) },
    findIntegration: () => ({ integration: anIntegration(), connect: async () => ({ codeHost: fakeHost().host }) }),
    events: { normal: () => {}, warning: () => {} },
    sandbox: {
      observe: () => ({ state: "Running", podUID: "pod-1", since: noon.toISOString() }),
      notIsolated: [],
      closed: async () => closed,
      remove: async () => {},
      harvested: async () => {},
    },
    credentials: {
      refreshAt: () => noon,
      holds: () => false,
      ensureFetch: async () => {
        if (suspended) throw new ProviderError("Suspended", "The App is suspended.");
      },
    },
    clock: new FakeClock(noon),
    log: silentLogger,
    config: defaultConfig,
  } as unknown as AgentTaskDeps;
  const steps = lifeOf({ commands: none, publish: none, report: none });
  return runSteps(deps, steps, task, new AbortController().signal).catch((error: unknown) => error);
}

const succeeded = (): object | undefined => task.status?.conditions?.find(({ type }) => type === "Succeeded");

it("watches the sandbox even while its token cannot be renewed", async () => {
  closed = false;
  await reconcile();
  expect(succeeded()).toMatchObject({ status: "False", reason: "NetworkPolicyChanged" });
});

it("shows why the token is not renewed, and clears that once it is", async () => {
  expect(await reconcile()).toMatchObject({ code: "Suspended" });
  expect(succeeded()).toMatchObject({ status: "Unknown", reason: "Suspended", message: /The App is suspended/ });
  suspended = false;
  await reconcile();
  expect(succeeded()).toBeUndefined();
});

it("renews no token for a sandbox that has proposed its work, because it fetches nothing any more", () => {
  const proposed = { attempt: 1, ref: "refs/heads/x", newId: "a".repeat(40), files: 1, patchKiB: 1 };
  expect(credentials.concerns(facts({ task }), noon)).toBe(true);
  const after = { ...task, status: { ...task.status, result: { proposed } } };
  expect(credentials.concerns(facts({ task: after }), noon)).toBe(false);
});

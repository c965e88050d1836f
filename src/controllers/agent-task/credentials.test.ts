import { beforeEach, expect, it } from "vitest";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { ProviderError } from "../../integrations/errors.ts";
import { aConnection, fakeHost } from "../../integrations/testing.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import { aSandboxProvider } from "../../sandbox/testing.ts";
import { credentials } from "./credentials.ts";
import { runSteps } from "./frame.ts";
import { lifeOf } from "./index.ts";
import { asStep } from "./steps.ts";
import { aTask, facts, integrationOf, noon, taskCacheOf, taskCredentials, taskDeps } from "./testing.ts";

const attempts = [{ number: 1, podName: "p-1", podUID: "pod-1", startedAt: noon.toISOString() }];
const none = asStep<undefined, never>({
  name: "none",
  concerns: () => false,
  gather: async () => undefined,
  decide: () => ({}),
  apply: async () => undefined,
});

let kube: FakeClient;
let closed: boolean;
let suspended: boolean;

beforeEach(() => {
  kube = createFakeClient();
  const conditions = ["Authorized", "Admitted", "ContextReady", "SandboxReady"] as const;
  kube.seed(AgentTaskKind, aTask({ conditions: [...conditions], status: { startTime: noon.toISOString(), attempts } }));
  closed = true;
  suspended = true;
});

const stored = (): AgentTask => kube.only(AgentTaskKind);

/** One reconcile of a running task whose token must be renewed; answers its error. */
async function reconcile(): Promise<unknown> {
  const task = stored();
  const deps = taskDeps({
    kube,
    tasks: taskCacheOf([task]),
    findIntegration: integrationOf(async () => aConnection({ codeHost: fakeHost().host })),
    sandbox: aSandboxProvider({
      observe: () => ({ state: "Running", podUID: "pod-1", since: noon.toISOString() }),
      closed: async () => closed,
      remove: async () => {},
      harvested: async () => {},
    }),
    credentials: taskCredentials({
      refreshAt: () => noon,
      ensureFetch: async () => {
        if (suspended) throw new ProviderError("Suspended", "The App is suspended.");
      },
    }),
  });
  const steps = lifeOf({ commands: none, publish: none, report: none });
  return runSteps(deps, steps, task, new AbortController().signal).catch((error: unknown) => error);
}

const succeeded = (): object | undefined => stored().status?.conditions?.find(({ type }) => type === "Succeeded");

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
  const task = stored();
  expect(credentials.concerns(facts({ task }), noon)).toBe(true);
  const after = { ...task, status: { ...task.status, result: { proposed } } };
  expect(credentials.concerns(facts({ task: after }), noon)).toBe(false);
});

import { AgentTaskKind, type AgentTask } from "../../../src/api/kinds.ts";
import { buildTask } from "../../../src/intake/build-task.ts";
import { anEvent, anIntegration } from "../../../src/intake/testing.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { report } from "./resident.ts";
import { several } from "./several.ts";
import type { Measured, World } from "./world.ts";

const tasks = Number(process.env["TASKS"] ?? 5_000);
const prompt = `@bellhop ${"please fix the failing build. ".repeat(20)}`;
const now = new Date().toISOString();

/**
 * Measures an idle operator, and one that starts when thousands of finished tasks exist. Returns the second one, still running: the
 * broker's benchmark needs the keys that it writes.
 */
export async function measureOperator(
  world: World,
  at: { namespace: string; brokerNamespace: string },
  log: (line: string) => void,
): Promise<Measured> {
  const start = () =>
    world.start("operator", {
      BELLHOP_NAMESPACE: at.namespace,
      BELLHOP_BROKER_NAMESPACE: at.brokerNamespace,
      BELLHOP_BROKER_URL: "https://127.0.0.1:8443",
      BELLHOP_SANDBOX_BACKEND: "process",
      BELLHOP_ALLOW_NOT_ISOLATED: "true",
      BELLHOP_IMAGE: "bellhop:bench",
    });
  const idle = await start();
  await report(log, "operator", "idle", idle.pid);
  await idle.stop();
  const creating = { what: "finished tasks created", total: tasks, atOnce: 16, log };
  await several(creating, (id) => createFinished(world.client, at.namespace, id));
  const operator = await start();
  await report(log, "operator", `with ${tasks} finished tasks`, operator.pid);
  return operator;
}

/** Creates a task that ended some time ago: the spec as a gateway writes it, the status as the operator and a courier write it. */
async function createFinished(client: KubeClient, namespace: string, id: number): Promise<void> {
  const integration = { ...anIntegration(), metadata: { name: "shop", namespace, uid: "shop" } };
  const subject = { type: "Issue", key: `acme/shop#${id}`, number: id, title: "The build fails" } as const;
  const event = anEvent({ cause: `issue_comment/${id}`, text: prompt, subject, conversation: `acme/shop#${id}` });
  const decision = {
    result: "task" as const,
    signal: { kind: "mention" as const, words: prompt },
    trigger: { name: "mention", mention: {} },
  };
  const draft = buildTask({ integration, kind: "GitHubIntegration", event, decision, receivedAt: new Date() });
  const created = await client.create(AgentTaskKind, draft);
  await client.replaceStatus(AgentTaskKind, { ...created, status: finished(created) });
}

function finished(task: AgentTask): NonNullable<AgentTask["status"]> {
  const message = "A sentence as long as most that people read in the conditions of their tasks.";
  const condition = (type: string, reason: string) =>
    ({ type, status: "True", reason, message, lastTransitionTime: now, observedGeneration: 1 }) as const;
  return {
    observedGeneration: 1,
    phase: "Succeeded",
    conversation: task.spec.conversation,
    requester: task.spec.actor,
    startTime: now,
    completionTime: now,
    attempts: [{ number: 1, podName: `${task.metadata.name}-sandbox-1`, podUID: "a-uid" }],
    checkout: { headRef: "bellhop/1-fix", headSHA: "a".repeat(40), baseRef: "main" },
    progress: { updatedAt: now, step: "done" },
    report: { id: "1" },
    result: { summary: prompt.slice(0, 400) },
    conditions: [
      condition("Authorized", "MayWrite"),
      condition("Admitted", "Admitted"),
      condition("ContextReady", "Ready"),
      condition("SandboxReady", "Created"),
      condition("Succeeded", "NoChanges"),
      condition("Reported", "Told"),
    ],
  };
}

import { AgentTaskKind, type AgentTask } from "../../src/api/kinds.ts";
import { buildTask } from "../../src/intake/build-task.ts";
import { anEvent, anIntegration } from "../../src/intake/testing.ts";
import type { KubeClient } from "../../src/kube/types.ts";

const prompt = `@bellhop ${"please fix the failing build. ".repeat(20)}`;
const now = new Date().toISOString();

/** Creates a task that ended some time ago: the spec as a gateway writes it, the status as the operator and a courier write it. */
export async function createFinished(client: KubeClient, namespace: string, id: number): Promise<void> {
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

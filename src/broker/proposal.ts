import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { Proposal, TaskState } from "../sandbox/protocol/channel.ts";
import { defined } from "../shared/defined.ts";
import type { Grant } from "./capability.ts";
import { liveTask, requireFence, whyFenced } from "./fence.ts";
import { Refusal } from "./refusal.ts";

/** Records the push that a courier proposes in `status.result.proposed`, for the operator to check. Recording the same proposal again changes nothing. */
export async function recordProposal(
  client: KubeClient,
  grant: Grant,
  proposal: Proposal,
  signal: AbortSignal,
): Promise<void> {
  if (proposal.attempt !== grant.attempt) {
    throw new Refusal(
      409,
      "Fenced",
      `the proposal is of attempt ${proposal.attempt}, but the capability belongs to attempt ${grant.attempt}`,
    );
  }
  const task = await requireFence(client, grant, signal);
  const { summary, ...proposed } = proposal;
  // A merge patch keeps fields that it does not name, so the optional fields of an earlier proposal are cleared.
  const result = { proposed: { ...emptyProposal, ...proposed }, ...defined({ summary }) };
  // With the resource version the write fails if the task was changed after the fence was checked.
  const metadata = { resourceVersion: task.metadata.resourceVersion };
  await client.mergePatch(
    AgentTaskKind,
    { namespace: grant.namespace, name: grant.task },
    { metadata, status: { result } },
    { subresource: "status", signal },
  );
}

const emptyProposal = { oldId: null, protectedPaths: null, skipped: null };

/** The state of the task for a courier, read live: whether to stop, and the push to carry out. */
export async function taskState(client: KubeClient, grant: Grant, signal: AbortSignal): Promise<TaskState> {
  return stateOf(await liveTask(client, grant, signal), grant);
}

/** The pure part of `taskState`. */
function stateOf(task: AgentTask | undefined, grant: Grant): TaskState {
  const refusal =
    task?.metadata.uid === grant.taskUID
      ? task.status?.conditions?.find(
          ({ type, status, reason }) => type === "Succeeded" && status === "False" && refusals.has(reason),
        )
      : undefined;
  if (refusal) return { stop: false, refused: { reason: refusal.reason, message: refusal.message } };
  const stop = whyFenced(task, grant) !== undefined;
  const publish = task?.status?.publish;
  return { stop, ...(publish && !stop ? { publish } : {}) };
}

/** Reasons of tasks that ended because their output was refused. */
const refusals = new Set(["OutputRefused", "PublishRefused", "BranchMoved", "BranchGone"]);

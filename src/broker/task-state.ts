import type { AgentTask } from "../api/kinds.ts";
import type { TaskState } from "../sandbox/protocol/channel.ts";
import { liveTask, whyFenced } from "./fence.ts";
import type { Grant } from "./capability.ts";
import type { KubeClient } from "../kube/types.ts";

/** The state of the task for a courier, read live: whether to stop, and the push to carry out. */
export async function taskState(client: KubeClient, grant: Grant, signal: AbortSignal): Promise<TaskState> {
  return stateOf(await liveTask(client, grant, signal), grant);
}

/** The pure part of `taskState`. */
export function stateOf(task: AgentTask | undefined, grant: Grant): TaskState {
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

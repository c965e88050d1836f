import type { AgentTask } from "../api/kinds.ts";
import type { TaskState } from "../sandbox/protocol/channel.ts";
import { fenced, liveTask } from "./fence.ts";
import type { Grant } from "./capability.ts";
import type { KubeClient } from "../kube/types.ts";

/** What the operator wants of a courier now, read live. */
export async function taskState(client: KubeClient, grant: Grant, signal: AbortSignal): Promise<TaskState> {
  return stateOf(await liveTask(client, grant, signal), grant);
}

/** Pure part of `taskState`. */
export function stateOf(task: AgentTask | undefined, grant: Grant): TaskState {
  const refusal =
    task?.metadata.uid === grant.taskUID
      ? task.status?.conditions?.find(
          ({ type, status, reason }) => type === "Succeeded" && status === "False" && refusals.has(reason),
        )
      : undefined;
  if (refusal) return { stop: false, refused: { reason: refusal.reason, message: refusal.message } };
  const stop = fenced(task, grant) !== undefined;
  const publish = task?.status?.publish;
  return { stop, ...(publish && !stop ? { publish } : {}) };
}

/** Reasons that end a task because of what it would have published. */
const refusals = new Set(["OutputRefused", "PublishRefused", "BranchMoved", "BranchGone"]);

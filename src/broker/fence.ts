import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { Grant } from "./capability.ts";
import { Refusal } from "./refusal.ts";

/** Reads the task from the API server, not from a cache: pushes and results are let through on what is true now. */
export async function liveTask(
  client: KubeClient,
  grant: Pick<Grant, "namespace" | "task">,
  signal: AbortSignal,
): Promise<AgentTask | undefined> {
  return client.find(AgentTaskKind, { namespace: grant.namespace, name: grant.task }, signal);
}

/** Why an attempt may not act any more, or undefined while it is the one in force. */
export function fenced(task: AgentTask | undefined, grant: Grant): string | undefined {
  if (!task || task.metadata.uid !== grant.taskUID) return "the task is gone";
  if (task.metadata.deletionTimestamp !== undefined) return "the task is being deleted";
  if (task.spec.cancel) return `the task was cancelled by ${task.spec.cancel.by}`;
  const stop = task.status?.requests?.find(({ type }) => type === "stop");
  if (stop) return `the task was stopped by ${stop.by}`;
  if (task.status?.completionTime !== undefined) return "the task has ended";
  return supersededBy(task, grant);
}

function supersededBy(task: AgentTask, { attempt, podUID }: Grant): string | undefined {
  const newest = task.status?.attempts?.at(-1);
  if (newest?.number !== attempt || newest.podUID !== podUID) return "another attempt has taken over";
  return newest.reason === undefined ? undefined : `the attempt has ended (${newest.reason})`;
}

/** The task, if the attempt is in force; else a refusal that says why. */
export async function requireFence(client: KubeClient, grant: Grant, signal: AbortSignal): Promise<AgentTask> {
  const task = await liveTask(client, grant, signal);
  const why = fenced(task, grant);
  if (why !== undefined || !task)
    throw new Refusal(409, "Fenced", `nothing is taken from this sandbox any more: ${why ?? "the task is gone"}`);
  return task;
}

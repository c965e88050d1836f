import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { Grant } from "./capability.ts";
import { Refusal } from "./refusal.ts";

/** Reads the task from the API server and not from a cache, because the current state decides about pushes and results. */
export async function liveTask(
  client: KubeClient,
  grant: Pick<Grant, "namespace" | "task">,
  signal: AbortSignal,
): Promise<AgentTask | undefined> {
  return client.find(AgentTaskKind, { namespace: grant.namespace, name: grant.task }, signal);
}

/** The reason why an attempt may no longer act; undefined while it is the current attempt. */
export function whyFenced(task: AgentTask | undefined, grant: Grant): string | undefined {
  if (!task || task.metadata.uid !== grant.taskUID) return "the task was deleted";
  if (task.metadata.deletionTimestamp !== undefined) return "the task is being deleted";
  if (task.spec.cancel) return `the task was cancelled by ${task.spec.cancel.by}`;
  const stop = task.status?.requests?.find(({ type }) => type === "stop");
  if (stop) return `the task was stopped by ${stop.by}`;
  if (task.status?.completionTime !== undefined) return "the task has ended";
  return supersededBy(task, grant);
}

function supersededBy(task: AgentTask, { attempt, podUID }: Grant): string | undefined {
  const newest = task.status?.attempts?.at(-1);
  if (newest?.number !== attempt || newest.podUID !== podUID) return "a newer attempt has replaced this one";
  return newest.reason === undefined ? undefined : `the attempt has ended (${newest.reason})`;
}

/** The task, if the attempt is the current one. Throws `Refusal` with the reason otherwise. */
export async function requireFence(client: KubeClient, grant: Grant, signal: AbortSignal): Promise<AgentTask> {
  const task = await liveTask(client, grant, signal);
  const why = whyFenced(task, grant);
  if (why !== undefined || !task)
    throw new Refusal(
      409,
      "Fenced",
      `the broker accepts nothing from this sandbox any more: ${why ?? "the task was deleted"}`,
    );
  return task;
}

import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { findCondition } from "../../kube/conditions.ts";
import type { Condition } from "../../kube/types.ts";

/** One sandbox that was tried. */
export type Attempt = NonNullable<AgentTaskStatus["attempts"]>[number];

/** A condition of a task, if it was ever set. */
export function conditionOf(task: AgentTask, type: TaskCondition): Condition | undefined {
  return findCondition(task.status?.conditions as readonly Condition[] | undefined, type);
}

/** Whether a condition holds. */
export function holds(task: AgentTask, type: TaskCondition): boolean {
  return conditionOf(task, type)?.status === "True";
}

/** Whether a condition was judged for good; `Unknown` is still open. */
export function isDecided(task: AgentTask, type: TaskCondition): boolean {
  const status = conditionOf(task, type)?.status;
  return status === "True" || status === "False";
}

/** Whether the task has ended: it succeeded, failed, was cancelled or refused. */
export function isOver(task: AgentTask): boolean {
  return isDecided(task, "Succeeded") || wasRefused(task);
}

/** Whether the task was refused: what it asks for is not done. */
export function wasRefused(task: AgentTask): boolean {
  return conditionOf(task, "Authorized")?.status === "False";
}

/** Whether the task is work; commands do none. */
export function isWork(task: AgentTask): boolean {
  return task.spec.command === undefined;
}

/** Whether the task may work now: work, authorised, admitted, not over, not asked to stop, not being deleted. */
export function isAtWork(task: AgentTask): boolean {
  return isWork(task) && holds(task, "Authorized") && holds(task, "Admitted") && !isOver(task) && !isStopping(task);
}

/** Whether the task was asked to stop or is being deleted. */
export function isStopping(task: AgentTask): boolean {
  return stopOf(task) !== undefined || task.metadata.deletionTimestamp !== undefined;
}

/** Who asked the task to stop, and why, if anybody did: by `spec.cancel` or by a `stop` in the thread. */
export function stopOf(task: AgentTask): { by: string; reason?: string | undefined } | undefined {
  return task.spec.cancel ?? task.status?.requests?.find((request) => request.type === "stop");
}

/** The newest attempt; the fence for pushes and results. */
export function newestAttempt(task: AgentTask): Attempt | undefined {
  return task.status?.attempts?.at(-1);
}

/** The conversation in force. */
export function conversationOf(task: AgentTask): string {
  return task.status?.conversation ?? task.spec.conversation;
}

/** Whether two tasks work in the same repository of the same host. */
export function sameRepository(a: AgentTask, b: AgentTask): boolean {
  const [left, right] = [a.spec.repository, b.spec.repository];
  return left !== undefined && left.id === right?.id && left.host === right.host;
}

/** On whose behalf a task works: the requester where it is not the sender (failed checks). */
export function requesterOf(task: AgentTask): { id: string; login: string } {
  return task.status?.requester ?? task.spec.actor;
}

/** The reason of `Authorized` for a `stop` by somebody without the permission for more than their own work. */
export const ownWorkOnly = "OwnWork";

/** What orders tasks: when each was received, and what decides between two of the same millisecond. Times in milliseconds since 1970. */
export interface Receipt {
  receivedMs: number;
  /** By the provider's clock; the receipt again where the provider does not say. */
  occurredMs: number;
  /** Providers count their objects up. */
  objectId: string;
  name: string;
}

/**
 * When a task was received. Creation times have a resolution of a second, and names are hashes: neither says which of two comments came
 * first. A comment that was missed and delivered again is received when it is delivered. Times in a task from kubectl are its author's, who
 * could claim any place in the queue: there the creation counts.
 */
export function receiptOf({ metadata, spec }: AgentTask): Receipt {
  const created = createdMs({ metadata });
  const { provider, receivedAt, occurredAt, object } = spec.source;
  const isOurs = provider !== "kubernetes";
  const receivedMs = (isOurs && Date.parse(receivedAt ?? "")) || created;
  const occurredMs = (isOurs && Date.parse(occurredAt ?? "")) || receivedMs;
  return { receivedMs, occurredMs, objectId: object?.id ?? "", name: metadata.name };
}

/** Orders receipts from the oldest to the newest. Total, so that the order is the same everywhere. */
export function byReceipt(a: Receipt, b: Receipt): number {
  return (
    a.receivedMs - b.receivedMs ||
    a.occurredMs - b.occurredMs ||
    a.objectId.length - b.objectId.length ||
    compare(a.objectId, b.objectId) ||
    compare(a.name, b.name)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Orders tasks from the newest to the oldest, by receipt. */
export function newestFirst(a: AgentTask, b: AgentTask): number {
  return byReceipt(receiptOf(b), receiptOf(a));
}

/** When a task was created, in milliseconds since 1970. */
export function createdMs({ metadata }: Pick<AgentTask, "metadata">): number {
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}

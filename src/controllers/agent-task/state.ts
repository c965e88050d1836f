import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import type { Repository } from "../../api/agent-task.ts";
import type { AgentTask } from "../../api/kinds.ts";
import type { ThreadTarget } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { findCondition } from "../../kube/conditions.ts";
import type { Condition } from "../../kube/types.ts";

/** One attempt to run the task, in its own sandbox. */
export type Attempt = NonNullable<AgentTaskStatus["attempts"]>[number];

/** The push that a courier proposes. */
export type Proposed = NonNullable<NonNullable<NonNullable<AgentTask["status"]>["result"]>["proposed"]>;

/** Finds a condition of a task; undefined if it is not set. */
export function conditionOf(task: AgentTask, type: TaskCondition): Condition | undefined {
  return findCondition(task.status?.conditions as readonly Condition[] | undefined, type);
}

/** Whether a condition is `True`. */
export function holds(task: AgentTask, type: TaskCondition): boolean {
  return conditionOf(task, type)?.status === "True";
}

/** Whether a condition is `True` or `False`; `Unknown` is not decided yet. */
export function isDecided(task: AgentTask, type: TaskCondition): boolean {
  const status = conditionOf(task, type)?.status;
  return status === "True" || status === "False";
}

/** Whether the task has ended: it succeeded, failed, was cancelled or refused. */
export function isOver(task: AgentTask): boolean {
  return isDecided(task, "Succeeded") || wasRefused(task);
}

/** Whether the task was refused: `Authorized` is `False`. */
export function wasRefused(task: AgentTask): boolean {
  return conditionOf(task, "Authorized")?.status === "False";
}

/** Whether the task ended because another task does the same. */
export function isDuplicate(task: AgentTask): boolean {
  return holds(task, "Succeeded") && conditionOf(task, "Succeeded")?.reason === "Duplicate";
}

/** Whether the task was created with kubectl, not by an event of a provider. */
export function isKubernetes({ spec }: AgentTask): boolean {
  return spec.source.provider === "kubernetes";
}

/** Whether the condition `Reported` says that the report could not be posted, and that Bellhop tries again. */
export function isNotPosted(task: AgentTask): boolean {
  return ["NotPosted", "SignedOut", "GaveUp"].includes(conditionOf(task, "Reported")?.reason ?? "");
}

/** Whether the task is work and not a command. */
export function isWork(task: AgentTask): boolean {
  return task.spec.command === undefined;
}

/** Whether the task may run now: it is work, authorised, admitted, has not ended, was not asked to stop, and is not being deleted. */
export function isAtWork(task: AgentTask): boolean {
  return isWork(task) && holds(task, "Authorized") && holds(task, "Admitted") && !isOver(task) && !isStopping(task);
}

/**
 * Whether the task may wait for a place in the concurrency limits: it is authorised work, its repository is known, and nobody has to approve
 * it first.
 */
export function mayQueue(task: AgentTask): boolean {
  return (
    isWork(task) &&
    holds(task, "Authorized") &&
    repositoryOf(task) !== undefined &&
    (task.spec.codeHostRef === undefined || holds(task, "Approved")) &&
    !isStopping(task)
  );
}

/** Whether somebody has to approve the task before it runs. */
export function isWaitingForApproval(task: AgentTask): boolean {
  const approved = conditionOf(task, "Approved");
  return approved?.status === "Unknown" && approved.reason === "WaitingForApproval";
}

/** Reasons of an approval that nobody has to give: the thread is public, or the repository is not more public than the thread. */
export const notNeeded = { thread: "NotNeeded", repository: "RepositoryPrivate" } as const;

/** Whether the request is a slash command: it belongs to no thread, and only its sender sees the answer to a command. */
export function isSlashCommand({ spec }: AgentTask): boolean {
  return spec.source.signal?.type === "SlashCommand";
}

/** The thread of a task. */
export function targetOf({ spec }: AgentTask): ThreadTarget {
  return { source: spec.source, conversation: spec.conversation, repository: spec.repository };
}

/** Whether the task was asked to stop or is being deleted. */
export function isStopping(task: AgentTask): boolean {
  return stopOf(task) !== undefined || task.metadata.deletionTimestamp !== undefined;
}

/** The request to stop the task, if there is one: `spec.cancel`, or a `stop` in the thread. */
export function stopOf(task: AgentTask): { by: string; reason?: string | undefined } | undefined {
  return task.spec.cancel ?? task.status?.requests?.find((request) => request.type === "stop");
}

/** The newest attempt; pushes and results of older attempts are refused. */
export function newestAttempt(task: AgentTask): Attempt | undefined {
  return task.status?.attempts?.at(-1);
}

/** The proposal of the newest attempt; proposals of older attempts do not count. */
export function proposedBy(task: AgentTask): Proposed | undefined {
  const proposed = task.status?.result?.proposed;
  return proposed && proposed.attempt === newestAttempt(task)?.number ? proposed : undefined;
}

/** A conversation. Providers name theirs independently, so it is known by its name only together with the instance of the provider. */
export interface Conversation {
  /** `github.com`, `T0123`: where the conversation takes place. */
  instance: string | undefined;
  name: string;
}

/**
 * The effective conversation: as resolved, else as the event names it. It may take place elsewhere than the task's own thread: a comment on a
 * change that was requested in a chat belongs to the conversation of the chat.
 */
export function conversationOf(task: AgentTask): Conversation {
  const { conversation, conversationInstance } = task.status ?? {};
  const own = ownConversation(task);
  // The conversation of a slash command moves to the thread of its report.
  if (conversation === undefined || conversation === task.spec.conversation)
    return { ...own, instance: conversationInstance ?? own.instance };
  // Tasks of earlier versions have no instance in their status; their conversations took place where the task was requested.
  const instance = conversationInstance ?? own.instance;
  return { instance, name: instance === own.instance ? byId(conversation, task) : conversation };
}

/**
 * The conversation as the event names it; that of a slash command, which has no thread, is in the thread of its report. The conversations of a chat belong to one integration: another one of the same workspace has other
 * rules and another code host. The author of a task from kubectl could write any instance and so leave the conversation's order.
 */
export function ownConversation(task: AgentTask): Conversation {
  const { source, repository, conversation, codeHostRef, integrationRef } = task.spec;
  const instance = isKubernetes(task) ? undefined : source.instance;
  const place = instance ?? repository?.host;
  return {
    instance: codeHostRef ? `${place} ${integrationRef.kind}/${integrationRef.name}` : place,
    name: byId(task.status?.report?.conversation ?? conversation, task),
  };
}

/**
 * The name of a conversation with the repository's id. The previous release stored `acme/shop#42`, which is another name once the repository is
 * renamed. Remove this after the next release.
 */
function byId(conversation: string, { spec }: AgentTask): string {
  const [, rest] = /^[^/#@\s]+\/[^/#@\s]+([#@].+)$/.exec(conversation) ?? [];
  return rest === undefined || !spec.repository || spec.codeHostRef ? conversation : `${spec.repository.id}${rest}`;
}

/** Whether two conversations are the same. */
export function sameConversation(a: Conversation, b: Conversation): boolean {
  return a.instance === b.instance && a.name === b.name;
}

/** The repository that a task works in: as the event names it, else as it was resolved; undefined until then. */
export function repositoryOf(task: AgentTask): Repository | undefined {
  return task.spec.repository ?? task.status?.repository;
}

/** The prompt for the agent: that of the request as its author edited it, else that of the event. Absent in tasks from the cache, unless it was edited. */
export function promptOfTask({ spec, status }: AgentTask): string | undefined {
  return status?.request?.prompt ?? spec.prompt;
}

/** The integration of the code host where a task's change goes. */
export function codeHostRefOf({ spec }: AgentTask): { kind: string; name: string } {
  return spec.codeHostRef ?? spec.integrationRef;
}

/** Whether two tasks work in the same repository of the same host. */
export function sameRepository(a: AgentTask, b: AgentTask): boolean {
  const [left, right] = [repositoryOf(a), repositoryOf(b)];
  return left !== undefined && left.id === right?.id && left.host === right.host;
}

/** The person on whose behalf a task works: the sender of the event, or for failed checks the requester in the status. */
export function requesterOf(task: AgentTask): { id: string; login: string } {
  return task.status?.requester ?? task.spec.actor;
}

/**
 * The account of a person at the code host of a task; undefined for a person of a chat or tracker without an entry in the integration's
 * `spec.access.people`.
 */
export function personAtCodeHost(
  { spec }: AgentTask,
  integration: Integration | undefined,
  person: { id: string; login: string },
): { id: string; login: string } | undefined {
  if (!spec.codeHostRef) return person;
  return integration?.spec.access.people?.find(({ id }) => id === person.id)?.codeHost;
}

/** The reason of `Authorized` for a `stop` by a person whose permission covers only their own work. */
export const ownWorkOnly = "OwnWork";

/** The keys that order tasks: the time of receipt, and tie-breakers for the same millisecond. Times in milliseconds since 1970. */
export interface Receipt {
  receivedMs: number;
  /** Time of the event by the provider's clock; equals `receivedMs` if the provider gives none. */
  occurredMs: number;
  /** Id of the event's object; providers assign increasing ids. */
  objectId: string;
  name: string;
}

/**
 * When a task was received. Creation times have a resolution of one second and names are hashes, so neither shows which of two comments
 * came first. If a missed comment is delivered again, the time of that delivery counts. For a task from kubectl its creation time counts,
 * because its author could write any time of receipt and so claim any place in the queue.
 */
export function receiptOf({ metadata, spec }: AgentTask): Receipt {
  const created = createdMs({ metadata });
  const { provider, receivedAt, occurredAt, object } = spec.source;
  const isOurs = provider !== "kubernetes";
  const receivedMs = (isOurs && Date.parse(receivedAt ?? "")) || created;
  const occurredMs = (isOurs && Date.parse(occurredAt ?? "")) || receivedMs;
  return { receivedMs, occurredMs, objectId: object?.id ?? "", name: metadata.name };
}

/** Orders receipts from the oldest to the newest. A total order, so that every sort gives the same result. */
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

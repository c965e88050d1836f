import type { AgentTask } from "../../../api/kinds.ts";
import { tasksOf } from "../conversation.ts";
import {
  conditionOf,
  conversationOf,
  holds,
  isDuplicate,
  isOver,
  isWaitingForApproval,
  isWork,
  newestFirst,
  notNeeded,
  ownConversation,
  sameConversation,
  sameRepository,
} from "../state.ts";
import type { TaskIndex } from "../task-index.ts";

/** A command as the status of its target task records it. */
export type TaskRequest = NonNullable<NonNullable<AgentTask["status"]>["requests"]>[number];

/**
 * The work that a command may be for, newest first: of its conversation, or the one task whose button was used. It was received before the
 * command. Excludes the task that the command itself created, duplicates, and work that ended without ever being authorised.
 */
function workOf(command: AgentTask, tasks: TaskIndex): AgentTask[] {
  const target = command.spec.commandTarget;
  const candidates =
    target === undefined ? tasksOf(conversationOf(command), command, tasks) : withButton(command, target, tasks);
  return candidates.filter((other) => isWork(other) && mayCount(other) && isBefore(other, command)).sort(newestFirst);
}

/** The task of a button, in whatever thread its report is. A button of another integration's report counts for nothing. */
function withButton({ metadata, spec }: AgentTask, name: string, tasks: TaskIndex): AgentTask[] {
  const work = tasks.get({ namespace: metadata.namespace, name });
  const { kind, name: integration } = spec.integrationRef;
  const isOurs = work?.spec.integrationRef.kind === kind && work.spec.integrationRef.name === integration;
  return work && isOurs ? [work] : [];
}

function mayCount(task: AgentTask): boolean {
  return !isOver(task) || (holds(task, "Authorized") && !isDuplicate(task));
}

/** Whether a task was received before the command. */
export function isBefore(other: AgentTask, command: AgentTask): boolean {
  return newestFirst(other, command) > 0 && other.spec.source.cause !== command.spec.source.cause;
}

/** Work of the conversation that has not ended. */
export function openWork(command: AgentTask, tasks: TaskIndex): AgentTask[] {
  return workOf(command, tasks).filter((task) => !isOver(task));
}

/** The newest work of the conversation that was authorised and has ended: refused work cannot be repeated. */
export function lastWork(command: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  return workOf(command, tasks).find((task) => isOver(task) && holds(task, "Authorized"));
}

/** The newest work of the conversation that left a commit. */
export function lastPublished(command: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  return workOf(command, tasks).find((task) => task.status?.result?.commit !== undefined);
}

/** The work on the branch of `target` that was not approved yet, newest first. */
export function unapprovedOn(target: AgentTask, command: AgentTask, tasks: TaskIndex): AgentTask[] {
  const branch = target.status?.result?.branch;
  const work = workOf(command, tasks).filter(
    (task) => task.status?.result?.branch === branch && sameRepository(task, target),
  );
  const approvedAt = work.findIndex((task) => approvalOf(task) !== undefined);
  return approvedAt < 0 ? work : work.slice(0, approvedAt);
}

/** The approval of a task's commit, if there is one. An approval without a commit let the task run. */
export function approvalOf(work: AgentTask): TaskRequest | undefined {
  return work.status?.requests?.find(({ type, argument }) => type === "approve" && argument !== undefined);
}

/** The work that an `approve` without a commit lets run. Only who reads its thread knows what would become public, so it counts only there. */
export function waitingForApproval(command: AgentTask, tasks: TaskIndex): AgentTask[] {
  const { command: name, commandArgument, commandTarget } = command.spec;
  if (name !== "approve" || commandArgument !== undefined) return [];
  const isHere = (work: AgentTask): boolean => commandTarget !== undefined || sameThread(work, command);
  return openWork(command, tasks).filter((work) => isWaitingForApproval(work) && isHere(work));
}

/** Whether the place of the command may not even know of the work: it was requested in another thread, and nobody approved that it becomes public. */
export function isHeldElsewhere(work: AgentTask, command: AgentTask): boolean {
  return command.spec.commandTarget === undefined && isNotPublic(work, command);
}

/** Whether a repetition would show a request that was made in another thread and not approved: its prompt may be private. */
export function isNotPublic(original: AgentTask, command: AgentTask): boolean {
  return original.spec.codeHostRef !== undefined && !isGivenAt(original, command) && !holds(original, "Approved");
}

/**
 * Whether the request was made in a private thread and needed no approval, because its repository was private. A repetition elsewhere shows it to
 * everybody who can read the repository now.
 */
export function isAsPrivateAsRepository(original: AgentTask, command: AgentTask): boolean {
  return !isGivenAt(original, command) && conditionOf(original, "Approved")?.reason === notNeeded.repository;
}

/** Whether the command was given in the thread of the work, or with a button of its report, which the person then reads. */
function isGivenAt(original: AgentTask, command: AgentTask): boolean {
  return command.spec.commandTarget === original.metadata.name || sameThread(original, command);
}

/** Whether a repetition would quote a comment of the code host in the thread of a chat: the repository may be private, and the thread public. */
export function isOfPrivateComment(original: AgentTask, command: AgentTask): boolean {
  return (
    command.spec.codeHostRef !== undefined && original.spec.codeHostRef === undefined && !sameThread(original, command)
  );
}

function sameThread(a: AgentTask, b: AgentTask): boolean {
  return sameConversation(ownConversation(a), ownConversation(b));
}

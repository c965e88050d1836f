import type { AgentTask } from "../../../api/kinds.ts";
import { tasksOf } from "../conversation.ts";
import { conversationOf, holds, isOver, isWork, newestFirst } from "../state.ts";
import type { TaskIndex } from "../task-index.ts";

/**
 * The work of a command's conversation that was received before the command, newest first. Excludes the task that the command itself
 * created, and work that ended without ever being authorised.
 */
export function workOf(command: AgentTask, tasks: TaskIndex): AgentTask[] {
  return tasksOf(conversationOf(command), command, tasks)
    .filter((other) => isWork(other) && mayCount(other) && isBefore(other, command))
    .sort(newestFirst);
}

function mayCount(task: AgentTask): boolean {
  return !isOver(task) || holds(task, "Authorized");
}

function isBefore(other: AgentTask, command: AgentTask): boolean {
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

/** The work on the branch that was not approved yet, newest first. */
export function unapprovedOn(branch: string, command: AgentTask, tasks: TaskIndex): AgentTask[] {
  const work = workOf(command, tasks).filter((task) => task.status?.result?.branch === branch);
  const approvedAt = work.findIndex((task) => approvalOf(task) !== undefined);
  return approvedAt < 0 ? work : work.slice(0, approvedAt);
}

type Request = NonNullable<NonNullable<AgentTask["status"]>["requests"]>[number];

/** The approval of a task's commit, if there is one. */
export function approvalOf(work: AgentTask): Request | undefined {
  return work.status?.requests?.find(({ type }) => type === "approve");
}

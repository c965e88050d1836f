import type { Checkout } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { conversationOf, holds, isOver, isWork, newestFirst, sameConversation, sameRepository } from "./state.ts";

/** Where a task belongs: for a change that Bellhop opened, to the conversation of the task which opened it; else where the event says. */
export function resolveConversation(task: AgentTask, tasks: readonly AgentTask[]): string {
  const owner = openerOf(task, tasks) ?? failedTaskOf(task, tasks);
  return owner ? conversationOf(owner) : task.spec.conversation;
}

/** The conversation in force, also of a task that is not authorised yet: the one it will get. */
export function belongsTo(task: AgentTask, tasks: readonly AgentTask[]): string {
  return task.status?.conversation ?? resolveConversation(task, tasks);
}

/** The oldest task that has the change the event names as its own. */
export function openerOf(task: AgentTask, tasks: readonly AgentTask[]): AgentTask | undefined {
  const { type, number } = task.spec.source.subject;
  if (type !== "Change" || number === undefined) return undefined;
  return others(task, tasks)
    .filter((other) => other.status?.result?.changeNumber === number)
    .at(-1);
}

/** For failed checks: the newest task whose commit they ran on. That is on whose behalf they are mended. */
export function failedTaskOf(task: AgentTask, tasks: readonly AgentTask[]): AgentTask | undefined {
  const head = task.spec.source.object?.headSHA;
  if (!isFailedCheck(task) || head === undefined) return undefined;
  return others(task, tasks).find((other) => other.status?.result?.commit === head);
}

/** Whether failed checks rang. */
export function isFailedCheck(task: AgentTask): boolean {
  const type = task.spec.source.object?.type;
  return type === "CheckSuite" || type === "WorkflowRun";
}

/** How often failed checks have rung for the branch before this task; refused tasks do not count. */
export function fixesBefore(task: AgentTask, owner: AgentTask, tasks: readonly AgentTask[]): number {
  const branch = owner.status?.result?.branch;
  const spent = others(task, tasks).filter(
    (other) =>
      isFailedCheck(other) &&
      belongsTo(other, tasks) === conversationOf(owner) &&
      !wasRefused(other) &&
      (holds(other, "Authorized") || ringsBefore(other, task, tasks)),
  );
  return spent.filter((other) => (other.status?.checkout?.headRef ?? branch) === branch).length;
}

/** Of two that ring at once each would see the other: what is not judged yet counts for those after it only, and only on a commit of ours. */
function ringsBefore(other: AgentTask, task: AgentTask, tasks: readonly AgentTask[]): boolean {
  return newestFirst(task, other) < 0 && failedTaskOf(other, tasks) !== undefined;
}

/** What an earlier task left. */
export interface EarlierBranch {
  branch: string;
  changeNumber?: number | undefined;
  checkout: Checkout | undefined;
}

/** The branch of the newest other task of the conversation that left one. */
export function branchBefore(task: AgentTask, tasks: readonly AgentTask[]): EarlierBranch | undefined {
  for (const other of others(task, tasks).filter((one) => isWork(one) && sameConversation(one, task))) {
    const { result, checkout } = other.status ?? {};
    if (result?.branch !== undefined) return { branch: result.branch, changeNumber: result.changeNumber, checkout };
  }
  return undefined;
}

/** Whether the branch was made or taken up by a task of ours, in the repository of `task`. */
export function isOurBranch(task: AgentTask, branch: string, tasks: readonly AgentTask[]): boolean {
  return others(task, tasks).some((other) => other.status?.result?.branch === branch);
}

/** Whether a task that is still at it has chosen the branch's name, though the host may not show it yet. */
export function isTaken(task: AgentTask, branch: string, tasks: readonly AgentTask[]): boolean {
  return others(task, tasks).some((other) => !isOver(other) && other.status?.checkout?.headRef === branch);
}

/** Every other task in the same repository, newest first. */
function others(task: AgentTask, tasks: readonly AgentTask[]): AgentTask[] {
  return tasks
    .filter((other) => other.metadata.uid !== task.metadata.uid && sameRepository(other, task))
    .sort(newestFirst);
}

function wasRefused(task: AgentTask): boolean {
  return task.status?.conditions?.some(({ type, status }) => type === "Authorized" && status === "False") ?? false;
}

import type { Checkout } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { conversationOf, holds, isWork, newestFirst, sameRepository, wasRefused } from "./state.ts";
import type { TaskIndex } from "./task-index.ts";

/** Where a task belongs: for a change that Bellhop opened, to the conversation of the task which opened it; else where the event says. */
export function resolveConversation(task: AgentTask, tasks: TaskIndex): string {
  const owner = openerOf(task, tasks) ?? failedTaskOf(task, tasks);
  return owner ? conversationOf(owner) : task.spec.conversation;
}

/**
 * The tasks of a conversation in the repository of `like`: those whose status says so, and those that are not authorised yet and will get
 * it. Anybody can make tasks of the second kind, as many as they like, so each of them costs two look-ups and no more.
 */
export function tasksOf(conversation: string, like: AgentTask, tasks: TaskIndex): AgentTask[] {
  const settled = tasks
    .inConversation(like, conversation)
    .filter((task) => task.status?.conversation !== undefined && sameRepository(task, like));
  const unsettled = tasks
    .inRepository(like, "unsettled")
    .filter((task) => resolveConversation(task, tasks) === conversation);
  return [...settled, ...unsettled];
}

/** For failed checks: the newest task whose commit they ran on, on whose behalf they are fixed. */
export function failedTaskOf(task: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  const head = task.spec.source.object?.headSHA;
  if (!isFailedCheck(task) || head === undefined) return undefined;
  return tasks.inRepository(task, "commit", head).sort(newestFirst)[0];
}

/** The oldest task that has the change which `task` is about as its own. */
function openerOf(task: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  const { type, number } = task.spec.source.subject;
  if (type !== "Change" || number === undefined) return undefined;
  return tasks.inRepository(task, "change", number).sort(newestFirst).at(-1);
}

/** Whether failed checks rang. */
export function isFailedCheck(task: AgentTask): boolean {
  const type = task.spec.source.object?.type;
  return type === "CheckSuite" || type === "WorkflowRun";
}

/** How often failed checks have rung for the branch before this task; refused tasks do not count. */
export function fixesBefore(task: AgentTask, owner: AgentTask, tasks: TaskIndex): number {
  const branch = owner.status?.result?.branch;
  const spent = others(task, tasksOf(conversationOf(owner), task, tasks)).filter(
    (other) =>
      isFailedCheck(other) && !wasRefused(other) && (holds(other, "Authorized") || isEarlierFix(other, task, tasks)),
  );
  return spent.filter((other) => (other.status?.checkout?.headRef ?? branch) === branch).length;
}

/** Of two that ring at once each would see the other: what is not judged yet counts for those after it only, and only on a commit of ours. */
function isEarlierFix(other: AgentTask, task: AgentTask, tasks: TaskIndex): boolean {
  return newestFirst(task, other) < 0 && failedTaskOf(other, tasks) !== undefined;
}

/** What an earlier task left. */
export interface EarlierBranch {
  branch: string;
  changeNumber?: number | undefined;
  checkout: Checkout | undefined;
}

/** The branch of the newest other task of the conversation that left one. */
export function branchBefore(task: AgentTask, tasks: TaskIndex): EarlierBranch | undefined {
  const before = others(task, tasks.inConversation(task, conversationOf(task))).filter(isWork);
  for (const other of before.sort(newestFirst)) {
    const { result, checkout } = other.status ?? {};
    if (result?.branch !== undefined) return { branch: result.branch, changeNumber: result.changeNumber, checkout };
  }
  return undefined;
}

/** Whether the branch was made or taken up by a task of ours, in the repository of `task`. */
export function isOurBranch(task: AgentTask, branch: string, tasks: TaskIndex): boolean {
  return others(task, tasks.inRepository(task, "branch", branch)).length > 0;
}

/** Whether a task of ours made the branch and pushed it, in the repository of `task`. */
export function isMadeByUs(task: AgentTask, branch: string, tasks: TaskIndex): boolean {
  return others(task, tasks.inRepository(task, "branch", branch)).some(
    ({ status }) => status?.checkout?.headRef === branch && status.checkout.newBranch,
  );
}

/** Whether a task that is still at it has chosen the branch's name, though the host may not show it yet. */
export function isTaken(task: AgentTask, branch: string, tasks: TaskIndex): boolean {
  return others(task, tasks.inRepository(task, "head", branch)).length > 0;
}

/** Those of `tasks` that are another task in the same repository. */
function others(task: AgentTask, tasks: readonly AgentTask[]): AgentTask[] {
  return tasks.filter((other) => other.metadata.uid !== task.metadata.uid && sameRepository(other, task));
}

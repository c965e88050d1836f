import type { Checkout } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import {
  conversationOf,
  holds,
  isKubernetes,
  isWork,
  newestFirst,
  ownConversation,
  repositoryOf,
  sameConversation,
  sameRepository,
  wasRefused,
  type Conversation,
} from "./state.ts";
import type { TaskIndex } from "./task-index.ts";

/** Resolves the conversation of a task: for a change that Bellhop opened, the conversation of the task that opened it; else the one the event names. */
export function resolveConversation(task: AgentTask, tasks: TaskIndex): Conversation {
  const owner = openerOf(task, tasks) ?? failedTaskOf(task, tasks);
  // The author of a task from kubectl could name any check or change, and so enter the thread of a chat.
  if (owner && isKubernetes(task) && owner.spec.codeHostRef) return ownConversation(task);
  return owner ? conversationOf(owner) : ownConversation(task);
}

/**
 * The tasks of a conversation in the repository of `like`: those whose status names it, and those that are not authorised yet and resolve to
 * it. Anybody can create any number of tasks of the second kind, so each of them costs at most two look-ups. The thread of a chat belongs to
 * no repository: there, the tasks of all repositories count.
 */
export function tasksOf(conversation: Conversation, like: AgentTask, tasks: TaskIndex): AgentTask[] {
  const named = tasks.inConversation(like, conversation).filter((task) => !wasRefused(task));
  if (!like.spec.repository) return unique([...named, ...namedRepositories(named).flatMap(unsettledIn)]);
  const settled = named.filter((task) => task.status?.conversation !== undefined && sameRepository(task, like));
  return [...settled, ...unsettledIn(like)];

  function unsettledIn(at: AgentTask): AgentTask[] {
    return tasks
      .inRepository(at, "unsettled")
      .filter((task) => sameConversation(resolveConversation(task, tasks), conversation));
  }
}

/** One task for each repository that the tasks work in. */
function namedRepositories(tasks: readonly AgentTask[]): AgentTask[] {
  return [...new Map(tasks.filter(repositoryOf).map((task) => [repositoryOf(task)?.id, task])).values()];
}

function unique(tasks: readonly AgentTask[]): AgentTask[] {
  return [...new Map(tasks.map((task) => [task.metadata.uid, task])).values()];
}

/** For failed checks: the newest task that left the commit they ran on; the fix is made on behalf of its requester. */
export function failedTaskOf(task: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  const head = task.spec.source.object?.headSHA;
  if (!isFailedCheck(task) || head === undefined) return undefined;
  return tasks.inRepository(task, "commit", head).sort(newestFirst)[0];
}

/** The oldest task whose result is the change that `task` is about. */
function openerOf(task: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  const { type, number } = task.spec.source.subject;
  if (type !== "Change" || number === undefined) return undefined;
  return tasks.inRepository(task, "change", number).sort(newestFirst).at(-1);
}

/** Whether failed checks triggered the task. */
export function isFailedCheck(task: AgentTask): boolean {
  // The author of a task from kubectl could name the check of anybody's commit, and act for them.
  if (isKubernetes(task)) return false;
  const type = task.spec.source.object?.type;
  return type === "CheckSuite" || type === "WorkflowRun";
}

/** How many tasks failed checks have triggered for the branch before this one; refused tasks do not count. */
export function fixesBefore(task: AgentTask, owner: AgentTask, tasks: TaskIndex): number {
  const branch = owner.status?.result?.branch;
  const spent = others(task, tasksOf(conversationOf(owner), task, tasks)).filter(
    (other) =>
      isFailedCheck(other) && !wasRefused(other) && (holds(other, "Authorized") || isEarlierFix(other, task, tasks)),
  );
  return spent.filter((other) => (other.status?.checkout?.headRef ?? branch) === branch).length;
}

/** Whether a task that is not authorised yet counts: only if it is earlier (or two simultaneous tasks would count each other), and on a commit of ours. */
function isEarlierFix(other: AgentTask, task: AgentTask, tasks: TaskIndex): boolean {
  return newestFirst(task, other) < 0 && failedTaskOf(other, tasks) !== undefined;
}

/** The branch and change that an earlier task left. */
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

/** Whether another task of ours pushed to the branch, in the repository of `task`. */
export function isOurBranch(task: AgentTask, branch: string, tasks: TaskIndex): boolean {
  return others(task, tasks.inRepository(task, "branch", branch)).length > 0;
}

/** Whether another task of ours created the branch and pushed it, in the repository of `task`. */
export function isMadeByUs(task: AgentTask, branch: string, tasks: TaskIndex): boolean {
  return others(task, tasks.inRepository(task, "branch", branch)).some(
    ({ status }) => status?.checkout?.headRef === branch && status.checkout.newBranch,
  );
}

/** Whether another task that has not ended works on a branch of this name; the code host may not show the branch yet. */
export function isTaken(task: AgentTask, branch: string, tasks: TaskIndex): boolean {
  return others(task, tasks.inRepository(task, "head", branch)).length > 0;
}

/** The tasks among `tasks` that are in the same repository as `task`, without `task` itself. */
function others(task: AgentTask, tasks: readonly AgentTask[]): AgentTask[] {
  return tasks.filter((other) => other.metadata.uid !== task.metadata.uid && sameRepository(other, task));
}

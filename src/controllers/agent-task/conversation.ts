import type { Checkout } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { conversationOf, holds, isOver, isWork, newestFirst, sameConversation, sameRepository } from "./state.ts";

/** Where a task belongs: for a change that Bellhop opened, to the conversation of the task which opened it; else where the event says. */
export function resolveConversation(task: AgentTask, tasks: readonly AgentTask[]): string {
  return resolve(task, tracesOf(tasks));
}

/**
 * The conversation in force, also of a task that is not authorised yet: the one it will get. Anybody can make tasks that are not
 * authorised, as many as they like: `tasks` is read once for all that are asked about.
 */
export function belonging(tasks: readonly AgentTask[]): (task: AgentTask) => string {
  const traces = tracesOf(tasks);
  return (task) => task.status?.conversation ?? resolve(task, traces);
}

/** For failed checks: the newest task whose commit they ran on. That is on whose behalf they are mended. */
export function failedTaskOf(task: AgentTask, tasks: readonly AgentTask[]): AgentTask | undefined {
  return failedTaskIn(task, tracesOf(tasks));
}

/** What tasks left at the host, by repository. */
interface Traces {
  /** The oldest task that has a change as its own. */
  openers: Map<string, AgentTask>;
  /** The newest task that left a commit. */
  authors: Map<string, AgentTask>;
}

function tracesOf(tasks: readonly AgentTask[]): Traces {
  const traces: Traces = { openers: new Map(), authors: new Map() };
  for (const task of tasks) {
    const { changeNumber, commit } = task.status?.result ?? {};
    if (changeNumber !== undefined) keep(traces.openers, keyOf(task, changeNumber), task, older);
    if (commit !== undefined) keep(traces.authors, keyOf(task, commit), task, newer);
  }
  return traces;
}

function keep(all: Map<string, AgentTask>, key: string, task: AgentTask, better: typeof older): void {
  const before = all.get(key);
  all.set(key, before ? better(before, task) : task);
}

function older(a: AgentTask, b: AgentTask): AgentTask {
  return newestFirst(a, b) > 0 ? a : b;
}

function newer(a: AgentTask, b: AgentTask): AgentTask {
  return newestFirst(a, b) > 0 ? b : a;
}

function keyOf({ spec }: AgentTask, what: string | number): string {
  return JSON.stringify([spec.repository?.host, spec.repository?.id, what]);
}

function resolve(task: AgentTask, traces: Traces): string {
  const owner = openerIn(task, traces) ?? failedTaskIn(task, traces);
  return owner ? conversationOf(owner) : task.spec.conversation;
}

function openerIn(task: AgentTask, { openers }: Traces): AgentTask | undefined {
  const { type, number } = task.spec.source.subject;
  return type === "Change" && number !== undefined ? openers.get(keyOf(task, number)) : undefined;
}

function failedTaskIn(task: AgentTask, { authors }: Traces): AgentTask | undefined {
  const head = task.spec.source.object?.headSHA;
  return isFailedCheck(task) && head !== undefined ? authors.get(keyOf(task, head)) : undefined;
}

/** Whether failed checks rang. */
export function isFailedCheck(task: AgentTask): boolean {
  const type = task.spec.source.object?.type;
  return type === "CheckSuite" || type === "WorkflowRun";
}

/** How often failed checks have rung for the branch before this task; refused tasks do not count. */
export function fixesBefore(task: AgentTask, owner: AgentTask, tasks: readonly AgentTask[]): number {
  const branch = owner.status?.result?.branch;
  const traces = tracesOf(tasks);
  const spent = others(task, tasks).filter(
    (other) =>
      isFailedCheck(other) &&
      !wasRefused(other) &&
      (holds(other, "Authorized") || ringsBefore(other, task, traces)) &&
      (other.status?.conversation ?? resolve(other, traces)) === conversationOf(owner),
  );
  return spent.filter((other) => (other.status?.checkout?.headRef ?? branch) === branch).length;
}

/** Of two that ring at once each would see the other: what is not judged yet counts for those after it only, and only on a commit of ours. */
function ringsBefore(other: AgentTask, task: AgentTask, traces: Traces): boolean {
  return newestFirst(task, other) < 0 && failedTaskIn(other, traces) !== undefined;
}

/** What an earlier task left. */
export interface EarlierBranch {
  branch: string;
  changeNumber?: number | undefined;
  checkout: Checkout | undefined;
}

/** The branch of the newest other task of the conversation that left one. */
export function branchBefore(task: AgentTask, tasks: readonly AgentTask[]): EarlierBranch | undefined {
  const before = others(task, tasks).filter((one) => isWork(one) && sameConversation(one, task));
  for (const other of before.sort(newestFirst)) {
    const { result, checkout } = other.status ?? {};
    if (result?.branch !== undefined) return { branch: result.branch, changeNumber: result.changeNumber, checkout };
  }
  return undefined;
}

/** Whether the branch was made or taken up by a task of ours, in the repository of `task`. */
export function isOurBranch(task: AgentTask, branch: string, tasks: readonly AgentTask[]): boolean {
  return others(task, tasks).some((other) => other.status?.result?.branch === branch);
}

/** Whether a task of ours made the branch and pushed it, in the repository of `task`. */
export function isMadeByUs(task: AgentTask, branch: string, tasks: readonly AgentTask[]): boolean {
  return others(task, tasks).some(
    ({ status }) =>
      status?.result?.branch === branch && status.checkout?.headRef === branch && status.checkout.newBranch,
  );
}

/** Whether a task that is still at it has chosen the branch's name, though the host may not show it yet. */
export function isTaken(task: AgentTask, branch: string, tasks: readonly AgentTask[]): boolean {
  return others(task, tasks).some((other) => !isOver(other) && other.status?.checkout?.headRef === branch);
}

/** Every other task in the same repository. */
function others(task: AgentTask, tasks: readonly AgentTask[]): AgentTask[] {
  return tasks.filter((other) => other.metadata.uid !== task.metadata.uid && sameRepository(other, task));
}

function wasRefused(task: AgentTask): boolean {
  return task.status?.conditions?.some(({ type, status }) => type === "Authorized" && status === "False") ?? false;
}

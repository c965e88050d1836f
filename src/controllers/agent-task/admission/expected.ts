import type { AgentTask } from "../../../api/kinds.ts";
import { resolveConversation } from "../conversation.ts";
import { conversationOf, isDecided, isOver, isStopping, isWork, receiptOf } from "../state.ts";
import { conversationKey, type TaskIndex } from "../task-index.ts";
import type { Expected } from "./schedule.ts";

/** How long a task that cannot be authorised holds back later tasks of its conversation. */
const patienceMs = 30_000;

/**
 * Finds tasks that are about to be authorised, in the conversations of the tasks that wait. Authorisation asks the provider, so a task that
 * was received later may be authorised first. The returned function remembers since when other tasks wait for each of them, so that a
 * provider that does not answer holds back nobody for ever.
 */
export function createExpectations(
  tasks: TaskIndex,
  isReady: (task: AgentTask) => boolean,
): (waiting: readonly AgentTask[], nowMs: number) => Expected[] {
  const seenMs = new Map<string, number>();
  return (waiting, nowMs) => {
    const open = new Map(unauthorisedBeside(waiting, tasks, isReady).map((one) => [one.uid, one]));
    for (const uid of seenMs.keys()) if (!open.has(uid)) seenMs.delete(uid);
    for (const uid of open.keys()) if (!seenMs.has(uid)) seenMs.set(uid, nowMs);
    return [...open.values()].filter(({ uid }) => nowMs - (seenMs.get(uid) ?? nowMs) < patienceMs);
  };
}

/**
 * The unauthorised work of the waiting tasks' conversations, each once. A task on a change that Bellhop opened belongs to the conversation of
 * the issue: its conversation is resolved as authorisation will resolve it.
 */
function unauthorisedBeside(
  waiting: readonly AgentTask[],
  tasks: TaskIndex,
  isReady: (task: AgentTask) => boolean,
): (Expected & { uid: string })[] {
  const conversations = new Set(waiting.map((task) => conversationKey(task, conversationOf(task))));
  return onePerRepository(waiting)
    .flatMap((task) => tasks.inRepository(task, "unsettled"))
    .filter(isUnauthorised)
    .map((task) => ({ task, conversation: conversationKey(task, resolveConversation(task, tasks)) }))
    .filter(({ task, conversation }) => conversations.has(conversation) && isReady(task))
    .map(({ task, conversation }) => ({ uid: task.metadata.uid ?? "", conversation, receipt: receiptOf(task) }));
}

function onePerRepository(waiting: readonly AgentTask[]): AgentTask[] {
  const keyOf = ({ metadata, spec }: AgentTask): string =>
    JSON.stringify([metadata.namespace, spec.repository?.host, spec.repository?.id]);
  return [...new Map(waiting.map((task) => [keyOf(task), task])).values()];
}

function isUnauthorised(task: AgentTask): boolean {
  return isWork(task) && !isDecided(task, "Authorized") && !isOver(task) && !isStopping(task);
}

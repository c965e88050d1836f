import type { AgentTask } from "../../../api/kinds.ts";
import { conversationOf, isStopping, receiptOf } from "../state.ts";
import { conversationKey, type TaskCache } from "../task-index.ts";
import type { Expected } from "./schedule.ts";

/** How long a task that cannot be authorised blocks later tasks of its conversation. */
const maxWaitMs = 30_000;

/**
 * Finds the tasks that are not authorised yet in the conversations of waiting tasks. Authorisation calls the provider, so a task that was
 * received second may be authorised first. Remembers since when another task waits for each of them, so that a provider that does not answer
 * blocks nobody for ever.
 */
export function createExpectations(
  tasks: Pick<TaskCache, "unauthorised">,
  isReady: (task: AgentTask) => boolean,
): (waiting: readonly AgentTask[], nowMs: number) => Expected[] {
  const seenMs = new Map<string, number>();
  return (waiting, nowMs) => {
    const found = waiting
      .flatMap((task) => unauthorisedBeside(task, tasks))
      .filter((task) => !isStopping(task) && isReady(task));
    const open = new Map(found.map((task) => [task.metadata.uid ?? "", task]));
    for (const uid of seenMs.keys()) if (!open.has(uid)) seenMs.delete(uid);
    for (const uid of open.keys()) if (!seenMs.has(uid)) seenMs.set(uid, nowMs);
    return [...open]
      .filter(([uid]) => nowMs - (seenMs.get(uid) ?? nowMs) < maxWaitMs)
      .map(([, task]) => ({ thread: conversationKey(task, task.spec.conversation), receipt: receiptOf(task) }));
  };
}

/** Finds unauthorised tasks by thread: their conversation is resolved with the authorisation, and the thread may be a change of ours. */
function unauthorisedBeside(task: AgentTask, tasks: Pick<TaskCache, "unauthorised">): AgentTask[] {
  const threads = new Set([conversationOf(task), task.spec.conversation]);
  return [...threads].flatMap((thread) => tasks.unauthorised(task, thread));
}

import type { AgentTask } from "../../../api/kinds.ts";
import { isOver, isWork, newestFirst, sameConversation, sameRepository } from "../state.ts";

/** The work of a command's conversation, newest first. */
export function workOf(command: AgentTask, tasks: readonly AgentTask[]): AgentTask[] {
  return tasks
    .filter((other) => isWork(other) && sameRepository(other, command) && sameConversation(other, command))
    .sort(newestFirst);
}

/** Work of the conversation that has not ended. */
export function openWork(command: AgentTask, tasks: readonly AgentTask[]): AgentTask[] {
  return workOf(command, tasks).filter((task) => !isOver(task));
}

/** The newest work of the conversation that has ended. */
export function lastWork(command: AgentTask, tasks: readonly AgentTask[]): AgentTask | undefined {
  return workOf(command, tasks).find(isOver);
}

/** The newest work of the conversation that left a commit. */
export function lastPublished(command: AgentTask, tasks: readonly AgentTask[]): AgentTask | undefined {
  return workOf(command, tasks).find((task) => task.status?.result?.commit !== undefined);
}

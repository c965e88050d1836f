import type { AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskDeps } from "../deps.ts";

/** A retry may be a retry of another retry, and so on: the maximum depth that is followed. */
const maxDepth = 16;

/** Finds the first task in a chain of `retry` and `continue`; undefined for other tasks, and if that task does not exist any more. */
export function originalOf({ tasks }: Pick<AgentTaskDeps, "tasks">, task: AgentTask): AgentTask | undefined {
  let original: AgentTask | undefined = task;
  for (let depth = 0; original?.spec.retryOf !== undefined && depth < maxDepth; depth++) {
    original = tasks.get({ namespace: task.metadata.namespace, name: original.spec.retryOf.name });
  }
  return original === task ? undefined : original;
}

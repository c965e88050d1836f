import type { AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskDeps } from "../deps.ts";

/** A retry of a retry of … */
const maxDepth = 16;

/** The work that a `retry` or `continue` goes back to in the end; undefined for other tasks, and where it is gone. */
export function originalOf({ tasks }: Pick<AgentTaskDeps, "tasks">, task: AgentTask): AgentTask | undefined {
  let original: AgentTask | undefined = task;
  for (let depth = 0; original?.spec.retryOf !== undefined && depth < maxDepth; depth++) {
    original = tasks.get({ namespace: task.metadata.namespace, name: original.spec.retryOf.name });
  }
  return original === task ? undefined : original;
}

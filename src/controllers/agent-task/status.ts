import type { AgentTaskStatus } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { setCondition } from "../../kube/conditions.ts";
import type { Condition } from "../../kube/types.ts";
import type { ConditionDraft, StatusPatch } from "./facts.ts";
import { phaseOf } from "./phase.ts";
import { conditionOf } from "./state.ts";

/** The status a task has after a patch: conditions with their times, the phase they make, and the end's time. Pure. */
export function patchedStatus(task: AgentTask, patch: StatusPatch, now: Date): AgentTaskStatus {
  const standing = ((task.status?.conditions ?? []) as Condition[]).filter(
    ({ type }) => !patch.drop?.some((dropped) => dropped === type),
  );
  const conditions = (patch.conditions ?? []).reduce(
    (all, draft) => setCondition(all, finish(task, draft), now),
    standing,
  );
  const status: AgentTaskStatus = { ...task.status, ...patch.fields, conditions };
  const phase = phaseOf({ ...task, status });
  const over = conditions.some((condition) => isEnd(condition));
  return {
    ...status,
    phase,
    ...(task.metadata.generation === undefined ? {} : { observedGeneration: task.metadata.generation }),
    ...(over && !status.completionTime ? { completionTime: now.toISOString() } : {}),
    ...(over || phase !== "Queued" ? { queue: undefined } : {}),
  };
}

function finish(task: AgentTask, draft: ConditionDraft): Omit<Condition, "lastTransitionTime"> {
  const generation = task.metadata.generation;
  return { ...draft, ...(generation === undefined ? {} : { observedGeneration: generation }) };
}

function isEnd(condition: Condition): boolean {
  if (condition.type === "Authorized") return condition.status === "False";
  return condition.type === "Succeeded" && condition.status !== "Unknown";
}

/** Takes back what was shown of tries that failed, once one did not: the next failure is a first one, with a time of its own. */
export function clearRetryCondition(task: AgentTask): Pick<StatusPatch, "drop"> {
  return conditionOf(task, "Succeeded")?.status === "Unknown" ? { drop: ["Succeeded"] } : {};
}

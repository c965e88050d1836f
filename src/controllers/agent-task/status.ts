import type { AgentTaskStatus, Phase } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { setCondition } from "../../kube/conditions.ts";
import type { Condition } from "../../kube/types.ts";
import type { ConditionDraft, StatusPatch } from "./facts.ts";
import { conditionOf, holds, isWaitingForApproval, proposedBy } from "./state.ts";
import { defined } from "../../shared/defined.ts";

const endings: Record<string, Phase> = { Cancelled: "Cancelled", Delivered: "Delivered", Duplicate: "Duplicate" };

/** Applies a patch to a task's status: sets conditions with their times, the resulting phase, and the completion time. Pure. */
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
    ...defined({ observedGeneration: task.metadata.generation }),
    ...(over && !status.completionTime ? { completionTime: now.toISOString() } : {}),
    ...(over || phase !== "Queued" ? { queue: undefined } : {}),
  };
}

function finish(task: AgentTask, draft: ConditionDraft): Omit<Condition, "lastTransitionTime"> {
  const generation = task.metadata.generation;
  return { ...draft, ...defined({ observedGeneration: generation }) };
}

function isEnd(condition: Condition): boolean {
  if (condition.type === "Authorized") return condition.status === "False";
  return condition.type === "Succeeded" && condition.status !== "Unknown";
}

/** Derives the phase, a human-readable summary, from the conditions. Do not base decisions on it. */
export function phaseOf(task: AgentTask): Phase {
  return endOf(task) ?? (task.spec.command === undefined ? phaseAtWork(task) : phaseOfCommand(task));
}

function endOf(task: AgentTask): Phase | undefined {
  const succeeded = conditionOf(task, "Succeeded");
  if (succeeded?.status === "True") return endings[succeeded.reason] ?? "Succeeded";
  if (succeeded?.status === "False") return endings[succeeded.reason] ?? "Failed";
  return conditionOf(task, "Authorized")?.status === "False" ? "Refused" : undefined;
}

function phaseOfCommand(task: AgentTask): Phase {
  return holds(task, "Authorized") ? "Running" : "Pending";
}

/** Whether the task waits for the name of its repository, or for an approval. A code host that does not answer is another reason to wait. */
function isWaitingForPeople(task: AgentTask): boolean {
  return task.status?.question !== undefined || isWaitingForApproval(task);
}

function phaseAtWork(task: AgentTask): Phase {
  if (!holds(task, "Authorized")) return "Pending";
  if (isWaitingForPeople(task)) return "WaitingForInput";
  if (!holds(task, "Admitted")) return "Queued";
  if (task.status?.publish || proposedBy(task)) return "Publishing";
  return holds(task, "SandboxReady") ? "Running" : "Preparing";
}

/** Removes the condition that shows failed retries, after a success, so that the next failure gets its own start time. */
export function clearRetryCondition(task: AgentTask): Pick<StatusPatch, "drop"> {
  return conditionOf(task, "Succeeded")?.status === "Unknown" ? { drop: ["Succeeded"] } : {};
}

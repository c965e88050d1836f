import type { Phase } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { conditionOf, holds } from "./state.ts";

const endings: Record<string, Phase> = { Cancelled: "Cancelled", Delivered: "Delivered", Duplicate: "Duplicate" };

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

function phaseAtWork(task: AgentTask): Phase {
  if (!holds(task, "Authorized")) return "Pending";
  if (!holds(task, "Admitted")) return "Queued";
  if (task.status?.publish || proposed(task)) return "Publishing";
  return holds(task, "SandboxReady") ? "Running" : "Preparing";
}

/** Whether the newest attempt has proposed a push; proposals of older attempts do not count. */
function proposed(task: AgentTask): boolean {
  const attempt = task.status?.attempts?.at(-1);
  return attempt !== undefined && task.status?.result?.proposed?.attempt === attempt.number;
}

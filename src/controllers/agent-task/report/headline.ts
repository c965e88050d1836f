import type { Phase } from "../../../api/agent-task-status.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import { aheadOf } from "../admission/limits.ts";
import { phaseOf } from "../phase.ts";
import { conditionOf, isOver } from "../state.ts";
import { elapsed } from "./elapsed.ts";
import { describeRequest } from "./request.ts";
import type { ReportSources } from "./text.ts";

/** Short text for each phase. "Bellhop is on it" appears only after admission. */
const standings: Record<Phase, string> = {
  Pending: "Received",
  Queued: "Queued",
  Preparing: "Getting ready",
  Running: "Bellhop is on it",
  WaitingForInput: "Waiting for an answer",
  Publishing: "Publishing",
  Succeeded: "Done",
  Failed: "Failed",
  Cancelled: "Stopped",
  Refused: "Not done",
  Delivered: "Passed on to the running task",
  Duplicate: "Already requested",
};

/** Reasons of `Admitted` and `SandboxReady` that need a change by a person: free capacity alone does not help. */
const blocked = new Set(["IntegrationNotFound", "ProfileNotReady", "ProfileNotFound", "QuotaExceeded"]);

/** Renders the first line of a report: the task's phase, its change, the request, and the task's name until it is over. */
export function headline(sources: ReportSources): string {
  const { task } = sources;
  const asked = describeRequest(sources);
  const parts = isOver(task)
    ? [`**${standings[phaseOf(task)]}${duration(sources)}**`, changeOf(task), asked]
    : [standing(task), asked, `task \`${task.metadata.name}\``];
  return parts.filter((part) => part !== "").join(" · ");
}

/** Renders the limit that a task waits for, as a sentence; undefined if it waits for none. */
export function limitOf(task: AgentTask): string | undefined {
  const { limit } = queueOf(task) ?? {};
  return limit && `${limit.slice(0, 1).toUpperCase()}${limit.slice(1)}.`;
}

function standing(task: AgentTask): string {
  if (isBlocked(task)) return "**Waiting**";
  const queue = queueOf(task);
  return `**${standings[phaseOf(task)]}**${queue ? `, ${aheadOf(queue.position)}` : ""}`;
}

function isBlocked(task: AgentTask): boolean {
  return (["Admitted", "SandboxReady"] as const).some((type) => {
    const condition = conditionOf(task, type);
    return condition !== undefined && condition.status !== "True" && blocked.has(condition.reason);
  });
}

function queueOf(task: AgentTask): NonNullable<AgentTask["status"]>["queue"] {
  return phaseOf(task) === "Queued" && !isBlocked(task) ? task.status?.queue : undefined;
}

function duration(sources: ReportSources): string {
  const phase = phaseOf(sources.task);
  const took = elapsed(sources);
  if (took === "" || phase === "Refused") return "";
  return phase === "Succeeded" ? ` in ${took}` : ` after ${took}`;
}

function changeOf(task: AgentTask): string {
  const { changeNumber, changeDraft } = task.status?.result ?? {};
  if (changeNumber === undefined) return "";
  return `${changeDraft === true ? "draft " : ""}PR #${changeNumber}`;
}

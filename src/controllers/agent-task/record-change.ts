import type { AgentTask } from "../../api/kinds.ts";
import type { AgentTaskDeps } from "./deps.ts";
import { conditionOf, isNotPosted } from "./state.ts";

type Deps = Pick<AgentTaskDeps, "log" | "events">;

/** Records an Event and a log line when the phase of a task changes, when its report cannot be posted, and when it is posted after all. */
export function recordChange(deps: Deps, before: AgentTask, after: AgentTask): void {
  recordPhase(deps, before, after);
  recordReport(deps, before, after);
}

function recordPhase(deps: Deps, before: AgentTask, after: AgentTask): void {
  const phase = after.status?.phase;
  if (phase === before.status?.phase) return;
  const last = after.status?.conditions?.findLast((now) => now.type !== "Reported" && changed(before, now));
  const { namespace, name } = after.metadata;
  deps.log.info({ namespace, task: name, phase, reason: last?.reason }, "task changed its phase");
  if (!last) return;
  const bad = phase === "Failed" || phase === "Refused";
  deps.events[bad ? "warning" : "normal"](after, last.reason, last.message);
}

function recordReport(deps: Deps, before: AgentTask, after: AgentTask): void {
  const reported = conditionOf(after, "Reported");
  const { namespace, name } = after.metadata;
  if (reported && isNotPosted(after) && changed(before, reported)) {
    deps.log.warn({ namespace, task: name, reason: reported.reason }, "the report of a task is not posted");
    deps.events.warning(after, reported.reason, reported.message);
  }
  if (!isNotPosted(before) || !isPosted(after)) return;
  deps.log.info({ namespace, task: name }, "the report of a task is posted now");
  deps.events.normal(after, "ReportPosted", `The report is posted now: ${placeOf(after)}`);
}

/** Whether nothing says that the report is not posted. */
function isPosted(task: AgentTask): boolean {
  return (conditionOf(task, "Reported")?.status ?? "True") === "True";
}

function placeOf({ spec, status }: AgentTask): string {
  return status?.report?.url ?? spec.source.subject.key;
}

function changed(before: AgentTask, now: { type: string; status: string; reason: string }): boolean {
  return !before.status?.conditions?.some(
    (old) => old.type === now.type && old.status === now.status && old.reason === now.reason,
  );
}

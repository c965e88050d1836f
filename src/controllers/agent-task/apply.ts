import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import { updateStatus } from "../../kube/apply.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { StatusPatch } from "./facts.ts";
import { patchedStatus } from "./status.ts";

/** Writes a patch if it changes the status; answers the resulting task. Throws a conflict if the task was changed in between. */
export async function applyPatch(deps: AgentTaskDeps, task: AgentTask, patch: StatusPatch): Promise<AgentTask> {
  if (patch.conditions === undefined && patch.fields === undefined && patch.drop === undefined) return task;
  const status = patchedStatus(task, patch, deps.clock.now());
  const written = await updateStatus(deps.kube, AgentTaskKind, task, status);
  if (written !== task) recordPhaseChange(deps, task, written);
  return written;
}

/** Records one log line and one Event when the task's phase changes. */
function recordPhaseChange(deps: AgentTaskDeps, before: AgentTask, after: AgentTask): void {
  const phase = after.status?.phase;
  if (phase === before.status?.phase) return;
  const last = after.status?.conditions?.findLast((now) => changed(before, now));
  const { namespace, name } = after.metadata;
  deps.log.info({ namespace, task: name, phase, reason: last?.reason }, "task changed its phase");
  if (!last) return;
  const bad = phase === "Failed" || phase === "Refused";
  deps.events[bad ? "warning" : "normal"](after, last.reason, last.message);
}

function changed(before: AgentTask, now: { type: string; status: string; reason: string }): boolean {
  return !before.status?.conditions?.some(
    (old) => old.type === now.type && old.status === now.status && old.reason === now.reason,
  );
}

import { names } from "../../api/annotations.ts";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { CodeHost } from "../../integrations/code-host.ts";
import { removeFinalizer } from "../../kube/finalizers.ts";
import { done, type Result } from "../../kube/types.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { AgentTaskDeps } from "./deps.ts";
import { codeHostRefOf } from "./state.ts";
import { reportDeletion } from "./report/index.ts";

/** Pause before a provider that did not answer is called again. */
const askAgainMs = 30_000;

/**
 * Finalizes a deleted task: removes its pods, revokes its tokens, updates its report, then removes the finalizer. A provider that does not
 * answer delays this for `finalizeMs` at most; the tokens expire by themselves.
 */
export async function finalize(deps: AgentTaskDeps, task: AgentTask, signal: AbortSignal): Promise<Result> {
  if (!task.metadata.finalizers?.includes(names.finalizer)) return done;
  for (const { number } of task.status?.attempts ?? []) {
    await deps.sandbox.remove(task, number, 5, signal);
    await deps.sandbox.harvested(task, number, signal);
  }
  if (deps.credentials.holds(task) && !(await revoke(deps, task, signal))) return { requeueAfterMs: askAgainMs };
  if (!(await tryReportDeletion(deps, task, signal))) return { requeueAfterMs: askAgainMs };
  await removeFinalizer(deps.kube, AgentTaskKind, task, names.finalizer);
  deps.admission.changed();
  return done;
}

/** Returns false if it must be tried again. */
async function revoke(deps: AgentTaskDeps, task: AgentTask, signal: AbortSignal): Promise<boolean> {
  try {
    await deps.credentials.revoke(task, await codeHostOf(deps, task), signal);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    if (!isTimeUp(deps, task)) return false;
    const { namespace, name } = task.metadata;
    deps.log.warn(
      { namespace, task: name, error },
      "could not revoke the tokens of a deleted task; they expire by themselves",
    );
    deps.events.warning(task, "RevokeFailed", "Could not revoke the task's tokens; they expire within an hour.");
    await deps.credentials.revoke(task, undefined, signal);
    return true;
  }
}

/** Returns false if it must be tried again: after a temporary failure, until the time-out. Any other failure does not stop the deletion. */
async function tryReportDeletion(deps: AgentTaskDeps, task: AgentTask, signal: AbortSignal): Promise<boolean> {
  try {
    await reportDeletion(deps, task, signal);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof BellhopError && error.retryable && !isTimeUp(deps, task)) return false;
    const { namespace, name } = task.metadata;
    deps.log.warn({ namespace, task: name, error }, "could not update the report of a deleted task");
    return true;
  }
}

function isTimeUp({ clock, config }: AgentTaskDeps, { metadata }: AgentTask): boolean {
  return clock.now().getTime() - Date.parse(metadata.deletionTimestamp ?? "") >= config.finalizeMs;
}

async function codeHostOf(deps: AgentTaskDeps, task: AgentTask): Promise<CodeHost | undefined> {
  const { namespace } = task.metadata;
  return (await deps.findIntegration({ ...codeHostRefOf(task), namespace })?.connect())?.codeHost;
}

import type { AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskDeps } from "../deps.ts";
import { isDecided, isOver } from "../state.ts";
import { patchedStatus } from "../status.ts";
import { withMarker } from "./index.ts";
import { originalOf } from "./original.ts";
import { reportText } from "./text.ts";

/**
 * Writes the final text into the report of a task that is being deleted, if the report exists and is not final: nothing else edits it
 * after the deletion. Only edits, so it can be repeated. Throws `BellhopError` if the provider refuses it.
 */
export async function reportDeletion(deps: AgentTaskDeps, task: AgentTask, signal: AbortSignal): Promise<void> {
  const { report } = task.status ?? {};
  const { repository, source, integrationRef } = task.spec;
  if (report?.id === undefined || isDecided(task, "Reported")) return;
  const handle = deps.findIntegration({ ...integrationRef, namespace: task.metadata.namespace });
  if (!handle || !repository || source.subject.number === undefined) return;
  const { reporter } = await handle.connect();
  if (!reporter) return;
  const now = deps.clock.now();
  const sources = {
    task: asEnded(task, now),
    integration: handle.integration,
    encode: reporter.encode,
    quote: reporter.quote,
    excerpt: report.quote,
    original: originalOf(deps, task),
    now,
  };
  const target = { repository, subjectNumber: source.subject.number };
  await reporter.update(target, report.id, withMarker(reporter, reportText(sources), report.intent ?? ""), signal);
}

/** The task with the status of a stopped task; a task that is over stays as it is. */
function asEnded(task: AgentTask, now: Date): AgentTask {
  if (isOver(task)) return task;
  const message = "The task was deleted; work that was not pushed is lost.";
  const stopped = { type: "Succeeded", status: "False", reason: "Cancelled", message } as const;
  return { ...task, status: patchedStatus(task, { conditions: [stopped] }, now) };
}

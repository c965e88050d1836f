import type { Phase } from "../../../api/agent-task-status.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import type { Line, Span } from "../../../integrations/report.ts";
import type { Integration } from "../../../integrations/integration.ts";
import { aheadOf } from "../admission/requirements.ts";
import { isFailedCheck } from "../conversation.ts";
import { phaseOf } from "../status.ts";
import { conditionOf, isOver, repositoryOf, requesterOf } from "../state.ts";

/** Inputs of a report. */
export interface ReportSources {
  task: AgentTask;
  integration: Integration;
  /** Excerpt of the request, as `Thread.excerpt` returns it; empty or undefined if the request has no text. */
  excerpt: string | undefined;
  /** The task that a `retry` or `continue` repeats. */
  original?: AgentTask | undefined;
  /** The tasks that the answer to a command lists. */
  listed?: readonly AgentTask[];
  now: Date;
}

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

/** Reasons to wait that need a change by a person: free capacity alone does not help. */
const blocked = new Set([
  "IntegrationNotFound",
  "CodeHostNotFound",
  "CodeHostSuspended",
  "ProfileNotReady",
  "ProfileNotFound",
  "QuotaExceeded",
]);

/** The first line of a report: the task's phase, its change, the request, and the task's name until it is over. */
export function headline(sources: ReportSources): Line {
  const { task } = sources;
  const asked = describeRequest(sources, { notify: true });
  return joined(
    isOver(task)
      ? [[{ strong: `${standings[phaseOf(task)]}${duration(sources)}` }], changeOf(sources), asked]
      : [standing(task), asked, ["task ", { code: task.metadata.name }]],
  );
}

/** A request as an item of a list: its state, repository and change, and its excerpt or name with a link to its report. */
export function requestItem(task: AgentTask): Line {
  const { quote, url } = task.status?.report ?? {};
  const at = repositoryOf(task);
  return joined([
    [{ strong: standings[phaseOf(task)] }],
    at ? [`${at.owner}/${at.name}`] : [],
    changeOf({ task }),
    [{ quote: quote || "report", url }, " by ", { person: requesterOf(task), notify: false }],
    [{ code: task.metadata.name }],
  ]);
}

/** Joins the parts of a line with a dot; leaves out empty parts. */
export function joined(parts: readonly Line[]): Line {
  return parts.filter((part) => part.length > 0).flatMap((part, index) => (index === 0 ? part : [" · ", ...part]));
}

/** The limit that a task waits for, as a sentence; undefined if it waits for none. */
export function limitOf(task: AgentTask): string | undefined {
  const { limit } = queueOf(task) ?? {};
  return limit && `${limit.slice(0, 1).toUpperCase()}${limit.slice(1)}.`;
}

function standing(task: AgentTask): Line {
  if (isBlocked(task)) return [{ strong: "Waiting" }];
  const queue = queueOf(task);
  return [{ strong: standings[phaseOf(task)] }, ...(queue ? [`, ${aheadOf(queue.position)}`] : [])];
}

function isBlocked(task: AgentTask): boolean {
  return (["RepositoryResolved", "Approved", "Admitted", "SandboxReady"] as const).some((type) => {
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

function changeOf({ task }: Pick<ReportSources, "task">): Line {
  const { changeNumber: number, changeURL: url, changeDraft } = task.status?.result ?? {};
  return number === undefined ? [] : [{ change: { number, url, draft: changeDraft === true } }];
}

/** Time from the first sandbox to the end of the task (or now), such as `6 m 02 s`. Whole minutes while it runs, so that the report is not edited every second. */
export function elapsed({ task, now }: Pick<ReportSources, "task" | "now">): string {
  const { startTime, completionTime } = task.status ?? {};
  if (startTime === undefined) return "";
  const seconds = Math.max(
    0,
    Math.round((Date.parse(completionTime ?? now.toISOString()) - Date.parse(startTime)) / 1000),
  );
  const minutes = Math.floor(seconds / 60);
  if (completionTime === undefined) return minutes === 0 ? "less than a minute" : `${minutes} m`;
  return minutes === 0 ? `${seconds} s` : `${minutes} m ${String(seconds % 60).padStart(2, "0")} s`;
}

/**
 * The requester and the request: an excerpt of its text, or the label, assignment or check that triggered the task. Distinguishes the reports in
 * one thread.
 */
export function describeRequest(sources: ReportSources, { notify }: { notify: boolean }): Line {
  const person: Span = { person: requesterOf(sources.task), notify };
  if (isFailedCheck(sources.task)) return [...failedCheck(sources), ", for ", person];
  return ["asked by ", person, ...(sources.excerpt ? [": ", ...quotation(sources, sources.excerpt)] : act(sources))];
}

/** Quotes the request; for a retry the command and the original request. */
function quotation({ task, original }: ReportSources, excerpt: string): Line {
  const again = original?.status?.report?.quote;
  const of: Line = again ? [" of ", { quote: again, url: original?.spec.source.url }] : [];
  return [{ quote: excerpt, url: task.spec.source.url }, ...of];
}

function failedCheck({ task }: ReportSources): Line {
  const { signal: matched, url } = task.spec.source;
  return matched?.name === undefined
    ? ["after failed checks"]
    : ["after the failed check ", { quote: matched.name, url }];
}

type Signal = NonNullable<AgentTask["spec"]["source"]["signal"]>;

/** Requests without text. */
const acts: Partial<Record<Signal["type"], (name: Span) => Line>> = {
  Label: (name) => [" by the label ", name],
  Assignment: (name) => [" by assigning it to ", name],
  ReviewRequest: (name) => [" by asking ", name, " for a review"],
};

function act({ task }: ReportSources): Line {
  const { type, name } = task.spec.source.signal ?? {};
  return type === undefined || name === undefined ? [] : (acts[type]?.({ quote: name }) ?? []);
}

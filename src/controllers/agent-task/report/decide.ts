import { createHash } from "node:crypto";
import type { AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskStatus } from "../../../api/agent-task-status.ts";
import { delayMs } from "../../../shared/backoff.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import { isOver, isWork } from "../state.ts";
import { updateEveryMs } from "./text.ts";

/** The current text of the report. */
export interface ReportReading {
  /** The text; `NoReporter` if the provider cannot post messages, `SignedOut` while the integration cannot sign in. */
  text: string | { not: "NoReporter" | "SignedOut" };
  /** Excerpt of the request, if it was read in this reconcile and has to be stored. */
  quote?: string;
}

/** One action at the provider. Each returns the new `status.report`; `quote`, if present, is stored in it. */
export type ReportAction = { quote?: string } & (
  | { do: "react" }
  | { do: "create"; text: string; search: boolean }
  | { do: "update"; id: string; text: string }
);

export type Report = NonNullable<AgentTaskStatus["report"]>;

const backoff = { baseMs: 5_000, maxMs: 300_000 };
/** Gives up after about 90 minutes of failures in a row, and not earlier than 90 minutes after the task's end: earlier failures do not count against the final text. */
const maxFailures = 24;
const tryAfterEndMs = 90 * 60_000;

/** Decides the next action of an outbox: it writes the intent before the message and the message's id after it, throttles edits, and always posts the final text. Pure. */
export function decideReport(facts: TaskFacts, { text, quote }: ReportReading, now: Date): Decision<ReportAction> {
  const { actions, ...decision } = decideText(facts, text, now);
  if (actions === undefined) return decision;
  return { ...decision, actions: quote === undefined ? actions : actions.map((action) => ({ ...action, quote })) };
}

function decideText(facts: TaskFacts, text: ReportReading["text"], now: Date): Decision<ReportAction> {
  const { task, integration } = facts;
  const report = task.status?.report ?? {};
  if (!integration) return {};
  if (typeof text !== "string") return decideWithoutReporter(task, text.not);
  const waitMs = failureWaitMs(report, now);
  if (gaveUp(task, report))
    return reported("False", "GaveUp", `Could not post the report: ${report.lastError ?? "unknown"}`);
  if (waitMs > 0) return { requeueAfterMs: waitMs };
  if (integration.spec.reporting.reaction && !report.reacted) return { actions: [{ do: "react" }], requeueAfterMs: 0 };
  return decideMessage({ task, report, text, everyMs: updateEveryMs(integration) }, now);
}

function decideWithoutReporter(task: AgentTask, why: "NoReporter" | "SignedOut"): Decision<never> {
  if (why === "SignedOut") return { requeueAfterMs: backoff.maxMs };
  return isOver(task) ? reported("True", "Nothing", "The provider has no thread to post a report to.") : {};
}

function decideMessage(message: Message, now: Date): Decision<ReportAction> {
  const { task, report, text } = message;
  if (!shouldReport(task)) return isOver(task) ? reported("True", "Nothing", "Nothing to report.") : {};
  return report.id === undefined ? createReport(task, report, text) : updateReport(message, now);
}

/** Identifies a text, so that the same text is not posted twice. */
export function revisionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function createReport(task: AgentTask, report: Report, text: string): Decision<ReportAction> {
  const target = task.spec.source.subject.key;
  const intent = `task:${task.metadata.uid ?? task.metadata.name}`;
  // An existing intent was written before a crash or a failure: the message may exist already.
  const search = report.intent !== undefined;
  return {
    fields: { report: { ...report, target, intent } },
    actions: [{ do: "create", text, search }],
    requeueAfterMs: 0,
  };
}

interface Message {
  task: AgentTask;
  report: Report;
  text: string;
  everyMs: number;
}

function updateReport({ task, report, text, everyMs }: Message, now: Date): Decision<ReportAction> {
  if (report.revision === revisionOf(text)) {
    return isOver(task)
      ? reported("True", "Told", `The report is at ${report.url ?? report.target ?? "the source"}.`)
      : { requeueAfterMs: 60_000 };
  }
  const leftMs = Date.parse(report.toldAt ?? "") + everyMs - now.getTime();
  if (leftMs > 0 && !isOver(task)) return { requeueAfterMs: leftMs };
  return { actions: [{ do: "update", id: report.id ?? "", text }], requeueAfterMs: 0 };
}

/** Whether a task gets a report: work always does; a command does if it answers a question or was not carried out. A `stop` shows in the report of the stopped work. */
export function shouldReport(task: AgentTask): boolean {
  if (isWork(task)) return true;
  if (!isOver(task)) return false;
  const end = task.status?.conditions?.findLast(({ type }) => type === "Succeeded" || type === "Authorized");
  return end?.status === "False" || !silentReasons.has(end?.reason ?? "");
}

const silentReasons = new Set(["Stopped", "Retried"]);

function failureWaitMs({ failures = 0, toldAt }: Report, now: Date): number {
  if (failures === 0) return 0;
  const since = Date.parse(toldAt ?? "") || 0;
  return since + delayMs(backoff, failures) - now.getTime();
}

function gaveUp(task: AgentTask, { failures = 0, toldAt }: Report): boolean {
  const triedForMs = Date.parse(toldAt ?? "") - Date.parse(task.status?.completionTime ?? "");
  return isOver(task) && failures >= maxFailures && triedForMs >= tryAfterEndMs;
}

function reported(status: "True" | "False", reason: string, message: string): Decision<never> {
  return { conditions: [{ type: "Reported", status, reason, message }] };
}

import { createHash } from "node:crypto";
import type { AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskStatus } from "../../../api/agent-task-status.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { Condition } from "../../../kube/types.ts";
import { delayMs } from "../../../shared/backoff.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import type { Report } from "../../../integrations/report.ts";
import { secretKeptMs } from "../../secrets.ts";
import { withRetryNotice } from "../../provider-failure.ts";
import { conditionOf, holds, isDuplicate, isNotPosted, isOver, isSlashCommand, isWork } from "../state.ts";
import type { Integration } from "../../../integrations/integration.ts";
import { updateEveryMs } from "./text.ts";

/** The current report. */
export interface ReportReading {
  /** `NoThread` if the provider has no thread for the task, `SignedOut` while the integration cannot sign in. */
  report: Report | { not: "NoThread" | "SignedOut" };
  /** Excerpt of the request, if it was read in this reconcile and has to be stored. */
  quote?: string;
  /** Milliseconds until the provider's pace permits the write that the report needs; 0 if it permits it now. */
  waitMs?: number;
}

/** One action at the provider. Each returns the new `status.report`; `quote`, if present, is stored in it. */
export type ReportAction = { quote?: string } & (
  | { do: "react" }
  /** Shows the report to the requester only; `again` if it was perhaps shown already. */
  | { do: "answer"; report: Report; again: boolean }
  | { do: "create"; report: Report; search: boolean }
  | { do: "update"; id: string; report: Report }
);

export type ReportStatus = NonNullable<AgentTaskStatus["report"]>;

const backoff = { baseMs: 5_000, maxMs: 300_000 };
/** Gives up after about 90 minutes of failures in a row, and not earlier than 90 minutes after the task's end: earlier failures do not count against the final text. */
const maxFailures = 24;
const tryAfterEndMs = 90 * 60_000;
/** Then it tries rarely, until the task is deleted: a person may unarchive the channel, or replace the token. */
const tryAfterGivingUpMs = 60 * 60_000;

/**
 * Decides the next action of an outbox: it writes the intent before the message and the message's id after it, throttles edits, and always posts
 * the final text. While the pace permits no write it only waits: the text is made again when its turn comes, so edits that wait become
 * one. Pure.
 */
export function decideReport(
  facts: TaskFacts,
  { report, quote, waitMs = 0 }: ReportReading,
  now: Date,
): Decision<ReportAction> {
  const { actions, ...decision } = decideWithoutQuote(facts, report, now);
  if (actions === undefined) return decision;
  if (waitMs > 0) return { requeueAfterMs: waitMs };
  return { ...decision, actions: quote === undefined ? actions : actions.map((action) => ({ ...action, quote })) };
}

function decideWithoutQuote(facts: TaskFacts, report: ReportReading["report"], now: Date): Decision<ReportAction> {
  const { task, integration } = facts;
  const before = task.status?.report ?? {};
  if (!integration) return {};
  if ("not" in report) return decideWithoutThread(task, report.not, usedFromMs(integration) - now.getTime());
  if (before.locked) return decideLocked(facts, before, report, now);
  const waitMs = Math.min(failureWaitMs(task, before, now), signedInWaitMs(integration, before, now));
  if (waitMs > 0) return { ...notPosted(task, before), requeueAfterMs: waitMs };
  const decision = decidePosting(facts, before, report, now);
  return (before.failures ?? 0) > 0 ? decision : withoutFailure(task, decision);
}

function decidePosting(
  { task, integration }: TaskFacts,
  before: ReportStatus,
  report: Report,
  now: Date,
): Decision<ReportAction> {
  if (!integration) return {};
  if (shouldReact(task, integration)) return { actions: [{ do: "react" }], requeueAfterMs: 0 };
  return decideMessage({ task, before, report, everyMs: updateEveryMs(integration) }, now);
}

/** A thread that takes no messages is asked once more, for the end of the task: somebody may have opened it again meanwhile. */
function decideLocked(
  { task, integration }: TaskFacts,
  before: ReportStatus,
  report: Report,
  now: Date,
): Decision<ReportAction> {
  if (!integration || !isOver(task)) return {};
  const asked = Date.parse(before.toldAt ?? "") >= Date.parse(task.status?.completionTime ?? "");
  if (asked) return reported("False", "ThreadLocked", `The report was not posted: ${before.lastError ?? "unknown"}`);
  return decideMessage({ task, before, report, everyMs: updateEveryMs(integration) }, now);
}

function shouldReact(task: AgentTask, integration: Integration): boolean {
  return integration.spec.reporting.reaction && !task.status?.report?.reacted && !isUnheard(task);
}

/**
 * Whether nothing may show in the thread yet: its message does not mention the bot, and its author is not authorised. People who may not ask
 * for work talk to others in the thread, and get no answer in public.
 */
function isUnheard(task: AgentTask): boolean {
  return (
    task.spec.source.signal?.followUp === true && !holds(task, "Authorized") && task.status?.report?.id === undefined
  );
}

/** `usableInMs`: milliseconds until a task can use credentials that somebody has repaired; negative if it can use them already. */
function decideWithoutThread(task: AgentTask, why: "NoThread" | "SignedOut", usableInMs: number): Decision<never> {
  if (why === "NoThread")
    return isOver(task) ? reported("True", "Nothing", "The provider has no thread to post a report to.") : {};
  const { kind, name } = task.spec.integrationRef;
  const message = `${kind} ${name} cannot sign in: its conditions say why. The report waits.`;
  const waitMs = usableInMs > 0 ? Math.min(usableInMs, backoff.maxMs) : backoff.maxMs;
  return { ...reported("Unknown", "SignedOut", message), requeueAfterMs: waitMs };
}

/** Says why the last try failed, and what happens next. It says nothing after one failure: a message that somebody deleted is created again. */
function notPosted(task: AgentTask, before: ReportStatus): Decision<never> {
  if ((before.failures ?? 0) < 2) return {};
  const why = `Could not post the report: ${before.lastError ?? "unknown"}`;
  return gaveUp(task, before)
    ? reported("False", "GaveUp", withRetryNotice(why, "Bellhop tries again each hour, until the task is deleted."))
    : reported("Unknown", "NotPosted", withRetryNotice(why));
}

/** Removes the condition of an earlier failure. After `SignedOut`, only once the report is posted. */
function withoutFailure(task: AgentTask, decision: Decision<ReportAction>): Decision<ReportAction> {
  const untried = conditionOf(task, "Reported")?.reason === "SignedOut" && decision.actions !== undefined;
  return isNotPosted(task) && !untried ? { ...decision, drop: ["Reported"] } : decision;
}

/** The wait until a try can use credentials that a person has replaced; infinite if the last try used them. */
function signedInWaitMs(integration: Integration, { toldAt }: ReportStatus, now: Date): number {
  const fromMs = usedFromMs(integration);
  return Date.parse(toldAt ?? "") < fromMs ? Math.max(0, fromMs - now.getTime()) : Number.POSITIVE_INFINITY;
}

/** The time from which every task uses the credentials that work; infinite if none work. The condition's time has whole seconds. */
function usedFromMs({ status }: Integration): number {
  const valid = findCondition(status?.conditions as readonly Condition[] | undefined, "CredentialsValid");
  if (valid?.status !== "True") return Number.POSITIVE_INFINITY;
  return Date.parse(valid.lastTransitionTime) + 1_000 + secretKeptMs;
}

function decideMessage(message: Message, now: Date): Decision<ReportAction> {
  const { task, before, report } = message;
  if (isForRequesterOnly(task)) return answerRequester(task, before, report);
  if (!shouldReport(task)) return isOver(task) ? reported("True", "Nothing", "Nothing to report.") : {};
  return before.id === undefined ? createReport(task, before, report) : updateReport(message, now);
}

/**
 * Whether nobody but its requester sees the report: the answer to a slash command, and to a request by one that was not authorised. Others in
 * the channel have not even seen the request.
 */
function isForRequesterOnly(task: AgentTask): boolean {
  return isSlashCommand(task) && task.status?.report?.id === undefined && (!isWork(task) || !holds(task, "Authorized"));
}

/** Answers once, when the request has ended. Nobody can find such an answer, so one that is posted again after a crash is there twice. */
function answerRequester(task: AgentTask, before: ReportStatus, report: Report): Decision<ReportAction> {
  if (!isOver(task)) return {};
  if (before.revision !== undefined) return reported("True", "Told", "The answer was shown to the requester only.");
  const again = before.intent !== undefined;
  return {
    fields: { report: withIntent(task, before) },
    actions: [{ do: "answer", report, again }],
    requeueAfterMs: 0,
  };
}

function withIntent(task: AgentTask, before: ReportStatus): ReportStatus {
  const intent = `task:${task.metadata.uid ?? task.metadata.name}`;
  return { ...before, target: task.spec.source.subject.key, intent };
}

/** Identifies a report, so that the same one is not posted twice. */
export function revisionOf(report: Report): string {
  return createHash("sha256").update(JSON.stringify(report)).digest("hex").slice(0, 16);
}

function createReport(task: AgentTask, before: ReportStatus, report: Report): Decision<ReportAction> {
  // An existing intent was written before a crash or a failure: the message may exist already.
  const search = before.intent !== undefined;
  return {
    fields: { report: withIntent(task, before) },
    actions: [{ do: "create", report, search }],
    requeueAfterMs: 0,
  };
}

interface Message {
  task: AgentTask;
  before: ReportStatus;
  report: Report;
  everyMs: number;
}

function updateReport({ task, before, report, everyMs }: Message, now: Date): Decision<ReportAction> {
  if (before.revision === revisionOf(report)) {
    return isOver(task)
      ? reported("True", "Told", `The report is at ${before.url ?? before.target ?? "the source"}.`)
      : { requeueAfterMs: 60_000 };
  }
  const leftMs = Date.parse(before.toldAt ?? "") + everyMs - now.getTime();
  if (leftMs > 0 && !isOver(task)) return { requeueAfterMs: leftMs };
  return { actions: [{ do: "update", id: before.id ?? "", report }], requeueAfterMs: 0 };
}

/**
 * Whether a task gets a report: work does; a command does if it answers a question or was not carried out. A `stop` shows in the report of
 * the stopped work, and a duplicate in that of the task that does the work. A message without a mention gets none until its author is authorised.
 */
export function shouldReport(task: AgentTask): boolean {
  if (isUnheard(task) || isUnpostedDuplicate(task)) return false;
  if (isForRequesterOnly(task)) return isOver(task);
  return isWork(task) || (isOver(task) && isAnswer(task));
}

function isAnswer({ status }: AgentTask): boolean {
  const end = status?.conditions?.findLast(({ type }) => type === "Succeeded" || type === "Authorized");
  return end?.status === "False" || !silentReasons.has(end?.reason ?? "");
}

/** The other task has a report. A report that was posted before says where. */
function isUnpostedDuplicate(task: AgentTask): boolean {
  return isDuplicate(task) && task.status?.report?.intent === undefined;
}

const silentReasons = new Set(["Stopped", "Retried", "RepositoryChosen", "MenuShown", "RunApproved"]);

function failureWaitMs(task: AgentTask, before: ReportStatus, now: Date): number {
  const { failures = 0, toldAt } = before;
  if (failures === 0) return 0;
  const since = Date.parse(toldAt ?? "") || 0;
  return since + (gaveUp(task, before) ? tryAfterGivingUpMs : delayMs(backoff, failures)) - now.getTime();
}

function gaveUp(task: AgentTask, { failures = 0, toldAt }: ReportStatus): boolean {
  const triedForMs = Date.parse(toldAt ?? "") - Date.parse(task.status?.completionTime ?? "");
  return isOver(task) && failures >= maxFailures && triedForMs >= tryAfterEndMs;
}

function reported(status: "True" | "False" | "Unknown", reason: string, message: string): Decision<never> {
  return { conditions: [{ type: "Reported", status, reason, message }] };
}

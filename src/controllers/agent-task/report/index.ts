import type { AgentTask } from "../../../api/kinds.ts";
import type { Connection, Reporter, ReportTarget } from "../../../integrations/connection.ts";
import { isProviderFailure } from "../../../integrations/errors.ts";
import { BellhopError, describeError } from "../../../shared/errors.ts";
import { isFinalRefusal } from "../../provider-failure.ts";
import type { StatusPatch } from "../facts.ts";
import type { AgentTaskDeps } from "../deps.ts";
import { createdMs, isDecided, isOver } from "../state.ts";
import { patchedStatus } from "../status.ts";
import { asStep, type AnyStep, type Step, type StepContext } from "../steps.ts";
import {
  decideReport,
  revisionOf,
  shouldReport,
  type Report,
  type ReportAction,
  type ReportReading,
} from "./decide.ts";
import { reportText } from "./text.ts";
import { defined } from "../../../shared/defined.ts";

/** The provider's clock may be behind the API server's. */
const clockDifferenceMs = 10 * 60_000;
/** A retry may be a retry of another retry, and so on: the maximum depth that is followed. */
const maxRetryDepth = 16;

/** Posts the report in the original thread and keeps it up to date. A failure never fails the task: it is counted and shown in `status.report`. */
const report: Step<ReportReading, ReportAction> = {
  name: "report",
  always: true,
  concerns: ({ task, integration }) =>
    integration !== undefined &&
    task.spec.source.provider !== "kubernetes" &&
    task.spec.source.subject.number !== undefined &&
    !isDecided(task, "Reported"),
  gather: renderReport,
  decide: decideReport,
  apply: applyReportAction,
};

/** The report step of a task. */
export const reportStep: AnyStep = asStep(report);

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

async function renderReport(context: StepContext): Promise<ReportReading> {
  const { task, integration } = context.facts;
  const reporter = await reporterOf(context);
  if (reporter === "SignedOut") return { text: { not: "SignedOut" } };
  if (!reporter || !integration) return { text: { not: "NoReporter" } };
  const { encode, quote } = reporter;
  const known = task.status?.report?.quote;
  const fresh = known === undefined && shouldQuote(task) ? await readExcerpt(context, reporter) : undefined;
  const original = originalOf(context.deps, task);
  const now = context.deps.clock.now();
  const text = reportText({ task, integration, encode, quote, excerpt: known ?? fresh, original, now });
  return { text, ...defined({ quote: fresh }) };
}

/** Finds the first task in a chain of `retry` and `continue`; undefined for other tasks, and if that task does not exist any more. */
function originalOf({ tasks }: Pick<AgentTaskDeps, "tasks">, task: AgentTask): AgentTask | undefined {
  let original: AgentTask | undefined = task;
  for (let depth = 0; original?.spec.retryOf !== undefined && depth < maxRetryDepth; depth++) {
    original = tasks.get({ namespace: task.metadata.namespace, name: original.spec.retryOf.name });
  }
  return original === task ? undefined : original;
}

function shouldQuote(task: AgentTask): boolean {
  const { text, textSHA256 } = task.spec.source;
  return shouldReport(task) && (text ?? textSHA256) !== undefined;
}

/** Reads the excerpt of the request, once for a task. The cache has no texts, so the task may be read from the API server. */
async function readExcerpt(context: StepContext, { excerpt }: Reporter): Promise<string> {
  const { task, integration } = context.facts;
  const { source } = (task.spec.source.text === undefined ? await context.live() : task).spec;
  return excerpt(source.text ?? "", integration?.status?.bot?.mention);
}

/** If the integration cannot sign in, the task continues and its report waits. */
async function reporterOf(context: StepContext): Promise<Reporter | undefined | "SignedOut"> {
  try {
    return (await context.connection()).reporter;
  } catch (error) {
    if (!(error instanceof BellhopError)) throw error;
    context.deps.log.warn(
      { error, task: context.facts.task.metadata.name },
      "could not post the report yet: the integration cannot sign in",
    );
    return "SignedOut";
  }
}

async function applyReportAction(context: StepContext, action: ReportAction): Promise<StatusPatch> {
  const now = context.deps.clock.now().toISOString();
  const quoted = defined({ quote: action.quote });
  const before = { ...context.facts.task.status?.report, ...quoted };
  try {
    const posted = await postOrReact(context, action);
    return {
      fields: {
        report: {
          ...before,
          ...posted,
          failures: 0,
          lastError: undefined,
          ...(action.do === "react" ? {} : { toldAt: now }),
        },
      },
    };
  } catch (error) {
    if (!(error instanceof BellhopError)) throw error;
    return { fields: { report: failedReport(before, action, error, now) } };
  }
}

async function postOrReact(context: StepContext, action: ReportAction): Promise<Report> {
  const connection = await context.connection();
  if (action.do === "react") return react(context, connection);
  const { reporter } = connection;
  if (!reporter) return {};
  return action.do === "create" ? create(context, reporter, action) : update(context, reporter, action);
}

async function react({ facts, signal }: StepContext, { acknowledger }: Connection): Promise<Report> {
  const { source, repository } = facts.task.spec;
  try {
    if (repository) await acknowledger?.react(source, repository, signal);
  } catch (error) {
    // The comment was deleted or the thread is locked: a reaction is not possible.
    if (!isFinalRefusal(error)) throw error;
  }
  return { reacted: true };
}

async function create(
  context: StepContext,
  reporter: Reporter,
  { text, search }: Extract<ReportAction, { do: "create" }>,
): Promise<Report> {
  // The cache and the provider's list may both be one write behind; only the API server is certain.
  const known = search ? (await context.live()).status?.report : undefined;
  if (known?.id !== undefined) return known;
  const target = targetOf(context);
  const marker = context.facts.task.status?.report?.intent ?? "";
  const since = new Date(createdMs(context.facts.task) - clockDifferenceMs);
  const found = search ? await reporter.find(target, marker, since, context.signal) : undefined;
  if (found) return found;
  const made = await reporter.create(target, withMarker(reporter, text, marker), context.signal);
  return { ...made, revision: revisionOf(text) };
}

async function update(
  context: StepContext,
  reporter: Reporter,
  { id, text }: Extract<ReportAction, { do: "update" }>,
): Promise<Report> {
  const marker = context.facts.task.status?.report?.intent ?? "";
  await reporter.update(targetOf(context), id, withMarker(reporter, text, marker), context.signal);
  return { revision: revisionOf(text) };
}

/** Appends the hidden marker by which the message is found again. */
function withMarker(reporter: Reporter, text: string, marker: string): string {
  return `${text}\n\n${reporter.hiddenMarker(marker)}`;
}

function targetOf({ facts }: StepContext): ReportTarget {
  const { repository, source } = facts.task.spec;
  if (!repository || source.subject.number === undefined)
    throw new TypeError("a report needs a repository and a number");
  return { repository, subjectNumber: source.subject.number };
}

/** Records a failure. A message that somebody deleted is created again; any other failure is retried with back-off. */
function failedReport(before: Report, action: ReportAction, error: BellhopError, now: string): Report {
  const gone = action.do === "update" && isProviderFailure(error, "NotFound");
  return {
    ...before,
    ...(gone ? { id: undefined } : {}),
    failures: (before.failures ?? 0) + 1,
    lastError: describeError(error).slice(0, 1024),
    toldAt: now,
  };
}

/** The task with the status of a stopped task; a task that has ended stays as it is. */
function asEnded(task: AgentTask, now: Date): AgentTask {
  if (isOver(task)) return task;
  const message = "The task was deleted; work that was not pushed is lost.";
  const stopped = { type: "Succeeded", status: "False", reason: "Cancelled", message } as const;
  return { ...task, status: patchedStatus(task, { conditions: [stopped] }, now) };
}

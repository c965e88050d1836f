import type { AgentTask } from "../../../api/kinds.ts";
import type { Thread, ThreadWrite } from "../../../integrations/connection.ts";
import { isProviderFailure } from "../../../integrations/errors.ts";
import type { Report } from "../../../integrations/report.ts";
import { BellhopError, describeError } from "../../../shared/errors.ts";
import { isFinalRefusal } from "../../provider-failure.ts";
import type { StatusPatch } from "../facts.ts";
import type { AgentTaskDeps } from "../deps.ts";
import { conditionOf, createdMs, isDecided, isOver, targetOf } from "../state.ts";
import { patchedStatus } from "../status.ts";
import { asStep, type AnyStep, type Step, type StepContext } from "../steps.ts";
import {
  decideReport,
  revisionOf,
  shouldReport,
  type ReportStatus,
  type ReportAction,
  type ReportReading,
} from "./decide.ts";
import { reportOf } from "./text.ts";
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
    (!isDecided(task, "Reported") || conditionOf(task, "Reported")?.reason === "GaveUp"),
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
  if (report?.id === undefined || isDecided(task, "Reported")) return;
  const handle = deps.findIntegration({ ...task.spec.integrationRef, namespace: task.metadata.namespace });
  if (!handle) return;
  const { thread } = await handle.connect();
  if (!thread?.has(targetOf(task))) return;
  const now = deps.clock.now();
  const final = reportOf({
    task: asEnded(task, now),
    integration: handle.integration,
    excerpt: report.quote,
    original: originalOf(deps, task),
    now,
  });
  await thread.update(targetOf(task), { id: report.id, marker: report.intent ?? "" }, final, signal);
}

async function renderReport(context: StepContext): Promise<ReportReading> {
  const { task, integration } = context.facts;
  const thread = await threadOf(context);
  if (thread === "SignedOut") return { report: { not: "SignedOut" } };
  if (!integration || !thread?.has(targetOf(task))) return { report: { not: "NoThread" } };
  const original = originalOf(context.deps, task);
  const now = context.deps.clock.now();
  const listed = listedBy(context);
  return inTurn(context, thread, (excerpt) => reportOf({ task, integration, excerpt, original, listed, now }));
}

/** Asks for the turn of the write that the report needs, if it needs one. */
async function inTurn(
  context: StepContext,
  thread: Thread,
  render: (excerpt: string | undefined) => Report,
): Promise<ReportReading> {
  const { task } = context.facts;
  const report = render(task.status?.report?.quote);
  const [action] = decideReport(context.facts, { report }, context.deps.clock.now()).actions ?? [];
  const waitMs = action ? thread.turn(targetOf(task), writeOf(action)) : 0;
  if (waitMs > 0 || !action || !needsQuote(task, action)) return { report, waitMs };
  const quote = await readExcerpt(context, thread);
  return { report: render(quote), quote };
}

/** Whether the excerpt has to be read now: only for a text that is about to be posted, and once for a task. */
function needsQuote(task: AgentTask, action: ReportAction): boolean {
  return action.do !== "react" && task.status?.report?.quote === undefined && shouldQuote(task);
}

function writeOf(action: ReportAction): ThreadWrite {
  if (action.do === "react") return { do: "acknowledge" };
  return { do: action.do === "create" ? "post" : action.do, report: action.report };
}

/** The tasks that the answer to a command lists, as they are now; without those that were deleted since. */
function listedBy({ deps, facts: { task } }: StepContext): AgentTask[] {
  const { namespace } = task.metadata;
  return (task.status?.listed ?? []).flatMap((name) => deps.tasks.get({ namespace, name }) ?? []);
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
async function readExcerpt(context: StepContext, thread: Thread): Promise<string> {
  const { task, integration } = context.facts;
  const { source } = (task.spec.source.text === undefined ? await context.live() : task).spec;
  return thread.excerpt(source.text ?? "", integration?.status?.bot?.mention);
}

/** If the integration cannot sign in, the task continues and its report waits. */
async function threadOf(context: StepContext): Promise<Thread | undefined | "SignedOut"> {
  try {
    return (await context.connection()).thread;
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
          locked: undefined,
          ...(action.do === "react" ? {} : { toldAt: now }),
        },
      },
    };
  } catch (error) {
    if (!(error instanceof BellhopError)) throw error;
    return { fields: { report: failedReport(before, action, error, now) } };
  }
}

async function postOrReact(context: StepContext, action: ReportAction): Promise<ReportStatus> {
  const { thread } = await context.connection();
  if (!thread) return {};
  if (action.do === "react") return react(context, thread);
  if (action.do === "answer") return answer(context, thread, action);
  return action.do === "create" ? create(context, thread, action) : update(context, thread, action);
}

async function react({ facts, signal }: StepContext, thread: Thread): Promise<ReportStatus> {
  try {
    await thread.acknowledge?.(targetOf(facts.task), signal);
  } catch (error) {
    // The comment was deleted or the thread is locked: a reaction is not possible.
    if (!isFinalRefusal(error)) throw error;
  }
  return { reacted: true };
}

async function answer(
  context: StepContext,
  thread: Thread,
  { report, again }: Extract<ReportAction, { do: "answer" }>,
): Promise<ReportStatus> {
  // The cache may be one write behind, and the answer cannot be searched: only the API server knows that it was recorded.
  const known = again ? (await context.live()).status?.report : undefined;
  if (known?.revision !== undefined) return known;
  if (!thread.answer) throw new BellhopError("NotSupported", "The provider cannot answer one person only.");
  await thread.answer(targetOf(context.facts.task), report, context.signal);
  return { revision: revisionOf(report) };
}

async function create(
  context: StepContext,
  thread: Thread,
  { report, search }: Extract<ReportAction, { do: "create" }>,
): Promise<ReportStatus> {
  // The cache and the provider's list may both be one write behind; only the API server is certain.
  const known = search ? (await context.live()).status?.report : undefined;
  if (known?.id !== undefined) return known;
  const { task } = context.facts;
  const marker = task.status?.report?.intent ?? "";
  const since = new Date(createdMs(task) - clockDifferenceMs);
  const found = search ? await thread.find(targetOf(task), marker, since, context.signal) : undefined;
  if (found) return found;
  const made = await thread.post(targetOf(task), report, marker, context.signal);
  return { ...made, revision: revisionOf(report) };
}

async function update(
  { facts, signal }: StepContext,
  thread: Thread,
  { id, report }: Extract<ReportAction, { do: "update" }>,
): Promise<ReportStatus> {
  const marker = facts.task.status?.report?.intent ?? "";
  await thread.update(targetOf(facts.task), { id, marker }, report, signal);
  return { revision: revisionOf(report) };
}

/** Records a failure. A message that somebody deleted is created again; any other failure is retried with back-off. */
function failedReport(before: ReportStatus, action: ReportAction, error: BellhopError, now: string): ReportStatus {
  const gone = action.do === "update" && isProviderFailure(error, "NotFound");
  return {
    ...before,
    ...(gone ? { id: undefined } : {}),
    ...(isLocked(error) ? { locked: true } : {}),
    failures: (before.failures ?? 0) + 1,
    lastError: describeError(error).slice(0, 1024),
    toldAt: now,
  };
}

/** Whether the thread takes no messages: a retry would get the same answer, until a person opens the thread again. */
function isLocked(error: BellhopError): boolean {
  return isProviderFailure(error, "Locked") || (isProviderFailure(error, "NotFound") && error.status === 410);
}

/** The task with the status of a stopped task; a task that has ended stays as it is. */
function asEnded(task: AgentTask, now: Date): AgentTask {
  if (isOver(task)) return task;
  const message = "The task was deleted; work that was not pushed is lost.";
  const stopped = { type: "Succeeded", status: "False", reason: "Cancelled", message } as const;
  return { ...task, status: patchedStatus(task, { conditions: [stopped] }, now) };
}

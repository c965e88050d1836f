import { durationMs } from "../../../api/duration.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import type { Block, Line, Report, ReportAction, Span } from "../../../integrations/report.ts";
import type { Integration } from "../../../integrations/integration.ts";
import { helpLines } from "../commands/decide.ts";
import { checksHeld } from "../publish/change-text.ts";
import { phaseOf } from "../status.ts";
import { conditionOf, holds, isOver, isWaitingForApproval, isWork, newestAttempt, requesterOf } from "../state.ts";
import { describeRequest, elapsed, headline, joined, limitOf, requestItem, type ReportSources } from "./headline.ts";

const maxSummaryBytes = 12_288;
const maxSkipped = 10;

/** The report of a task as data. The provider of the thread renders it; text from a model or a stranger is marked as untrusted. */
export function reportOf(sources: ReportSources): Report {
  const { task, integration } = sources;
  const over = isOver(task);
  const blocks: (Block | undefined)[] = isWork(task)
    ? [
        line(headline(sources)),
        line(editedNote(task)),
        ...(over ? outcome(sources) : [progress(sources)]),
        line(footer(sources)),
      ]
    : answer(sources);
  return {
    task: task.metadata.name,
    blocks: blocks.filter((block) => block !== undefined),
    over,
    actions: actionsOf(task),
    question: over ? undefined : questionOf(task),
    requester: requesterOf(task),
    bot: integration.status?.bot,
  };
}

/** A line as a block; undefined if it is empty. */
function line(spans: Line): Block | undefined {
  return spans.length === 0 ? undefined : { line: spans };
}

function answer(sources: ReportSources): (Block | undefined)[] {
  const { task, listed = [] } = sources;
  if (listed.length === 0) return reply(sources);
  const message = conditionOf(task, "Succeeded")?.message ?? "";
  return [line([untrusted(message)]), { list: listed.map(requestItem), numbered: true }];
}

/** Says that the request is not the text of the event any more. */
function editedNote({ status }: AgentTask): Line {
  return status?.request ? ["The request was edited before the work began; the newest text counts."] : [];
}

/** The short answer to a command. It mentions the person only if the command was not carried out. */
function reply(sources: ReportSources): (Block | undefined)[] {
  const end = conditionOf(sources.task, "Succeeded") ?? conditionOf(sources.task, "Authorized");
  const done = end?.status === "True";
  const first = joined([[{ strong: done ? "Answer" : "Not done" }], describeRequest(sources, { notify: !done })]);
  if (end?.reason === "Help") return [line(first), { list: helpLines.map(({ command, text }) => [{ command }, text]) }];
  return [line(first), line([untrusted(end?.message ?? "")])];
}

function outcome(sources: ReportSources): (Block | undefined)[] {
  const summary = sources.task.status?.result?.summary;
  return [
    line(verdict(sources.task)),
    summary === undefined ? undefined : { summary, maxBytes: maxSummaryBytes },
    line(noteOnChange(sources.task)),
    line(held(sources.task)),
    line(leftOut(sources.task)),
  ];
}

/** The done and open steps; before admission only the reason why the task waits. */
function progress({ task }: ReportSources): Block | undefined {
  if (holds(task, "Authorized") && holds(task, "Admitted")) return checklist(task);
  // The question is a part of the report itself.
  if (conditionOf(task, "RepositoryResolved")?.reason === "WaitingForAnswer") return undefined;
  return line([untrusted(limitOf(task) ?? waiting(task))]);
}

/** Why the task ended: the message of the condition that ended it, or after a push the branch and commit. */
function verdict(task: AgentTask): Line {
  const refused = conditionOf(task, "Authorized");
  const end = refused?.status === "False" ? refused : conditionOf(task, "Succeeded");
  if (!end) return [];
  return end.reason === "Published"
    ? [{ code: branchOf(task) }, ` at ${task.status?.result?.commit?.slice(0, 7) ?? "?"}`]
    : [untrusted(end.message)];
}

/** Differences of the pull request from the profile and the checkout. The note names branches, so it is shown as untrusted text. */
function noteOnChange({ status }: AgentTask): Line {
  const note = status?.result?.changeNote;
  return note === undefined ? [] : [untrusted(note)];
}

/** Explains why required checks wait, if the text of no change of ours does. */
function held({ status }: AgentTask): Line {
  const { commit, heldUnsaid } = status?.result ?? {};
  return heldUnsaid && commit !== undefined ? checksHeld(commit) : [];
}

/** Lists paths that the agent left in the workspace but that are not in the commit. */
function leftOut({ status }: AgentTask): Line {
  const { proposed, commit } = status?.result ?? {};
  const skipped = commit === undefined ? [] : (proposed?.skipped ?? []);
  if (skipped.length === 0) return [];
  const named = skipped
    .slice(0, maxSkipped)
    .flatMap((path, index): Span[] => [...(index === 0 ? [] : [", "]), untrustedItem(path)]);
  const more = skipped.length > maxSkipped ? [`, and ${skipped.length - maxSkipped} more`] : [];
  return ["Left out of the commit: ", ...named, ...more];
}

interface Item {
  done: boolean;
  line: Line;
}

function checklist(task: AgentTask): Block {
  const claims = claimsOf(task);
  const waits = waiting(task);
  const claimed = (claims?.checklist ?? []).map(({ done, text }): Item => ({ done, line: [untrustedItem(text)] }));
  return {
    checklist: [
      { done: holds(task, "ContextReady"), line: [readSoFar(task)] },
      ...checkedOut(task),
      ...claimed,
      ...(claims?.step === undefined ? [] : [{ done: false, line: [untrustedItem(claims.step)] }]),
      ...(waits === "" ? [] : [{ done: false, line: [untrusted(waits)] }]),
    ],
  };
}

function untrusted(text: string): Span {
  return { untrusted: text };
}

function untrustedItem(text: string): Span {
  return { untrusted: oneLine(text), inItem: true };
}

/** The progress that the agent reports; undefined if it comes from an attempt that was lost. */
function claimsOf(task: AgentTask): NonNullable<AgentTask["status"]>["progress"] {
  const { progress: claims } = task.status ?? {};
  const attempt = newestAttempt(task);
  const isLost = attempt?.reason !== undefined || (claims?.attempt ?? attempt?.number) !== attempt?.number;
  return isLost ? undefined : claims;
}

const subjects = { Issue: "the issue", Change: "the change", Commit: "the issue", Thread: "the thread" };

/** The items that were read, from the beginning of the condition's message: "Read the description and 3 comments; …". */
function readSoFar(task: AgentTask): string {
  const context = conditionOf(task, "ContextReady");
  const itemsRead = context?.status === "True" ? /^Read ([^;`]+);/.exec(context.message)?.[1] : undefined;
  return `read ${itemsRead ?? subjects[task.spec.source.subject.type]}`;
}

function checkedOut(task: AgentTask): Item[] {
  const { baseRef, headRef, headSHA, newBranch } = task.status?.checkout ?? {};
  const from = newBranch ? baseRef : headRef;
  if (from === undefined) return [];
  const at = headSHA === undefined ? "" : ` at ${headSHA.slice(0, 7)}`;
  return [{ done: holds(task, "SandboxReady"), line: ["checked out ", { code: from }, at] }];
}

/** Why the task waits: the message of the first condition that is not `True`. Empty if it does not wait. */
function waiting(task: AgentTask): string {
  const open = task.status?.conditions?.find(({ type, status }) => status !== "True" && type !== "Reported");
  if (open) return oneLine(open.message);
  return phaseOf(task) === "Publishing" ? "publish the work" : "";
}

function footer(sources: ReportSources): Line {
  const { task } = sources;
  const took = elapsed(sources);
  const branch = branchOf(task);
  if (!isOver(task))
    return joined([
      took === "" ? [] : [took],
      branch === "" ? [] : [{ code: branch }],
      [{ command: "stop" }, " stops it"],
    ]);
  if (phaseOf(task) === "Refused") return [];
  const commands = ["stop", "retry", "status", "help"].flatMap((name, index): Span[] => [
    ...(index === 0 ? [] : [", "]),
    { code: name },
  ]);
  return ["Reply ", { command: "…" }, " to continue; commands: ", ...commands, "."];
}

function actionsOf(task: AgentTask): ReportAction[] {
  if (!isWork(task)) return [];
  if (!isOver(task)) return isWaitingForApproval(task) ? ["approve", "stop"] : ["stop"];
  return phaseOf(task) === "Refused" ? [] : ["retry"];
}

function questionOf({ status }: AgentTask): Report["question"] {
  const { text, choices = [] } = status?.question ?? {};
  return text === undefined ? undefined : { text, choices };
}

/** Minimum time between two edits of the report. */
export function updateEveryMs(integration: Integration): number {
  return durationMs(integration.spec.reporting.updateEvery);
}

function branchOf(task: AgentTask): string {
  return task.status?.result?.branch ?? task.status?.checkout?.headRef ?? "";
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

import { durationMs } from "../../../api/duration.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import type { Reporter } from "../../../integrations/connection.ts";
import type { Integration } from "../../../integrations/types.ts";
import { heldWords } from "../publish/change-text.ts";
import { conditionOf, holds, isOver, isWork, requesterOf } from "../state.ts";

/** What a report is written from. */
export interface ReportWords {
  task: AgentTask;
  integration: Integration;
  encode: Reporter["encode"];
  now: Date;
}

const maxSummaryBytes = 12_288;
const maxStepBytes = 600;
const maxSkipped = 10;
const minuteMs = 60_000;

/** The report as people read it. Whatever a model or a stranger wrote went through the desk's encoder; the rest is ours. */
export function reportText(words: ReportWords): string {
  const { task } = words;
  if (!isWork(task)) return reply(words);
  return [isOver(task) ? headlineAtEnd(words) : headlineAtWork(words), body(words), footer(words)]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** A command gets one short answer. The words of `help` are ours, and there to be copied. */
function reply({ task, encode }: ReportWords): string {
  const end = conditionOf(task, "Succeeded") ?? conditionOf(task, "Authorized");
  const text = end?.reason === "Help" ? end.message : encode(end?.message ?? "");
  return end?.status === "True" ? text : `**Not done**, asked by @${task.spec.actor.login}: ${text}`;
}

function headlineAtWork({ task }: ReportWords): string {
  return `**Bellhop is on it**, asked by @${requesterOf(task).login} · task \`${task.metadata.name}\``;
}

function headlineAtEnd(words: ReportWords): string {
  const { task } = words;
  const phase = task.status?.phase ?? "Failed";
  if (phase === "Refused") return `**Not done**, asked by @${requesterOf(task).login}`;
  const ending = endings[phase] ?? endings["Failed"];
  const took = task.status?.startTime === undefined ? "" : ` ${ending?.after} ${elapsed(words)}`;
  return [`**${ending?.word}${took}**`, changeOf(task)].filter((part) => part !== "").join(" · ");
}

function changeOf(task: AgentTask): string {
  const { changeNumber, changeDraft } = task.status?.result ?? {};
  if (changeNumber === undefined) return "";
  return `${changeDraft === true ? "draft " : ""}PR #${changeNumber}`;
}

const endings: Record<string, { word: string; after: string }> = {
  Succeeded: { word: "Done", after: "in" },
  Failed: { word: "Failed", after: "after" },
  Cancelled: { word: "Stopped", after: "after" },
};

function body(words: ReportWords): string {
  const { task } = words;
  if (!isOver(task)) return checklist(words);
  const summary = task.status?.result?.summary;
  const said = summary === undefined ? "" : words.encode(summary, { maxBytes: maxSummaryBytes });
  return [verdict(words), said, held(words), leftOut(words)].filter((part) => part !== "").join("\n\n");
}

/** Why it ended, in the words of the condition that ended it. Success speaks for itself. */
function verdict({ task, encode }: ReportWords): string {
  const refused = conditionOf(task, "Authorized");
  const end = refused?.status === "False" ? refused : conditionOf(task, "Succeeded");
  if (!end) return "";
  return end.reason === "Published"
    ? `\`${branchOf(task)}\` at ${task.status?.result?.commit?.slice(0, 7) ?? "?"}`
    : encode(end.message);
}

/** Why required checks wait, where no change of ours says so. */
function held({ task, integration }: ReportWords): string {
  const { commit, heldUnsaid } = task.status?.result ?? {};
  return heldUnsaid && commit !== undefined ? heldWords(commit, integration.status?.bot?.mention) : "";
}

/** What the commit does not have although the agent left it. */
function leftOut({ task, encode }: ReportWords): string {
  const { proposed, commit } = task.status?.result ?? {};
  const skipped = commit === undefined ? [] : (proposed?.skipped ?? []);
  if (skipped.length === 0) return "";
  const more = skipped.length > maxSkipped ? `, and ${skipped.length - maxSkipped} more` : "";
  const named = skipped.slice(0, maxSkipped).map((path) => encode(oneLine(path), { maxBytes: maxStepBytes }));
  return `Left out of the commit: ${named.join(", ")}${more}`;
}

function checklist(words: ReportWords): string {
  const { task, encode } = words;
  const { progress } = task.status ?? {};
  const waits = waiting(task);
  const items = [
    box(holds(task, "ContextReady"), readSoFar(task)),
    ...checkedOut(task),
    ...(progress?.checklist ?? []).map((item) =>
      box(item.done, encode(oneLine(item.text), { maxBytes: maxStepBytes })),
    ),
    ...(progress?.step === undefined ? [] : [box(false, encode(oneLine(progress.step), { maxBytes: maxStepBytes }))]),
    ...(waits === "" ? [] : [box(false, encode(waits))]),
  ];
  return items.join("\n");
}

/** The first words of the condition are for people as well: "Read the description and 3 comments; …". */
function readSoFar(task: AgentTask): string {
  const context = conditionOf(task, "ContextReady");
  const said = context?.status === "True" ? /^Read ([^;`]+);/.exec(context.message)?.[1] : undefined;
  return `read ${said ?? (task.spec.source.subject.type === "Change" ? "the change" : "the issue")}`;
}

function checkedOut(task: AgentTask): string[] {
  const { baseRef, headRef, headSHA, newBranch } = task.status?.checkout ?? {};
  const from = newBranch ? baseRef : headRef;
  if (from === undefined) return [];
  return [box(holds(task, "SandboxReady"), `checked out \`${from.replaceAll("`", "")}\`${at(headSHA)}`)];
}

/** What it waits for, where it waits. */
function waiting(task: AgentTask): string {
  if (task.status?.phase === "Publishing") return "publishing";
  const open = task.status?.conditions?.find(
    ({ type, status }) => status !== "True" && type !== "Reported" && type !== "Succeeded",
  );
  return open ? oneLine(open.message) : "";
}

function footer(words: ReportWords): string {
  const { task, integration } = words;
  const mention = `@${integration.status?.bot?.mention ?? "bot"}`;
  if (!isOver(task))
    return [elapsed(words), branchOf(task) && `\`${branchOf(task)}\``, `\`${mention} stop\` ends it`]
      .filter(Boolean)
      .join(" · ");
  if (task.status?.phase === "Refused") return "";
  return `Reply \`${mention} …\` to go on; \`stop\`, \`retry\`, \`status\`, \`help\`.`;
}

/** `6 m 02 s`, from the first sandbox to the end (or now). Whole minutes while it runs, so that not every second is an edit. */
function elapsed({ task, now }: ReportWords): string {
  const { startTime, completionTime } = task.status ?? {};
  if (startTime === undefined) return "";
  const ms = Math.max(0, Date.parse(completionTime ?? now.toISOString()) - Date.parse(startTime));
  const minutes = Math.floor(ms / minuteMs);
  if (completionTime === undefined) return minutes === 0 ? "less than a minute" : `${minutes} m`;
  const seconds = Math.round((ms % minuteMs) / 1000);
  return minutes === 0 ? `${seconds} s` : `${minutes} m ${String(seconds).padStart(2, "0")} s`;
}

/** How often the report is edited at most. */
export function updateEveryMs(integration: Integration): number {
  return durationMs(integration.spec.reporting.updateEvery);
}

function branchOf(task: AgentTask): string {
  return (task.status?.result?.branch ?? task.status?.checkout?.headRef ?? "").replaceAll("`", "");
}

function at(sha: string | undefined): string {
  return sha === undefined ? "" : ` at ${sha.slice(0, 7)}`;
}

function box(done: boolean, text: string): string {
  return `- [${done ? "x" : " "}] ${text}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

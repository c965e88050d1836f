import { durationMs } from "../../../api/duration.ts";
import type { AgentTask } from "../../../api/kinds.ts";
import type { Integration } from "../../../integrations/types.ts";
import { checksHeldText } from "../publish/change-text.ts";
import { phaseOf } from "../status.ts";
import { conditionOf, holds, isOver, isWork, newestAttempt } from "../state.ts";
import {
  describeRequest,
  describeRequestWithoutMention,
  elapsed,
  headline,
  limitOf,
  type ReportSources,
} from "./headline.ts";

const maxSummaryBytes = 12_288;
const maxStepBytes = 600;
const maxSkipped = 10;

/** Renders the text of the report. Text from a model or a stranger goes through the provider's encoder; the rest is our own. */
export function reportText(sources: ReportSources): string {
  if (!isWork(sources.task)) return reply(sources);
  return paragraphs([
    headline(sources),
    ...(isOver(sources.task) ? outcome(sources) : [progress(sources)]),
    footer(sources),
  ]);
}

/** Renders the short answer to a command. It mentions the person only if the command was not carried out. The text of `help` is our own and not encoded, so that it can be copied. */
function reply(sources: ReportSources): string {
  const { task, encode } = sources;
  const end = conditionOf(task, "Succeeded") ?? conditionOf(task, "Authorized");
  const text = end?.reason === "Help" ? end.message : encode(end?.message ?? "");
  const first =
    end?.status === "True"
      ? `**Answer** · ${describeRequestWithoutMention(sources)}`
      : `**Not done** · ${describeRequest(sources)}`;
  return paragraphs([first, text]);
}

function outcome(sources: ReportSources): string[] {
  const summary = sources.task.status?.result?.summary;
  const encodedSummary = summary === undefined ? "" : sources.encode(summary, { maxBytes: maxSummaryBytes });
  return [verdict(sources), encodedSummary, held(sources), leftOut(sources)];
}

/** Renders the done and open steps; before admission only the reason why the task waits. */
function progress(sources: ReportSources): string {
  const { task, encode } = sources;
  if (holds(task, "Authorized") && holds(task, "Admitted")) return checklist(sources);
  return encode(limitOf(task) ?? waiting(task));
}

/** Renders why the task ended: the message of the condition that ended it, or after a push the branch and commit. */
function verdict({ task, encode }: ReportSources): string {
  const refused = conditionOf(task, "Authorized");
  const end = refused?.status === "False" ? refused : conditionOf(task, "Succeeded");
  if (!end) return "";
  return end.reason === "Published"
    ? `\`${branchOf(task)}\` at ${task.status?.result?.commit?.slice(0, 7) ?? "?"}`
    : encode(end.message);
}

/** Explains why required checks wait, unless the text of a change of ours explains it. */
function held({ task, integration }: ReportSources): string {
  const { commit, heldUnsaid } = task.status?.result ?? {};
  return heldUnsaid && commit !== undefined ? checksHeldText(commit, integration.status?.bot?.mention) : "";
}

/** Lists paths that the agent left in the workspace but that are not in the commit. */
function leftOut({ task, encode }: ReportSources): string {
  const { proposed, commit } = task.status?.result ?? {};
  const skipped = commit === undefined ? [] : (proposed?.skipped ?? []);
  if (skipped.length === 0) return "";
  const more = skipped.length > maxSkipped ? `, and ${skipped.length - maxSkipped} more` : "";
  const named = skipped.slice(0, maxSkipped).map((path) => encode(oneLine(path), { maxBytes: maxStepBytes }));
  return `Left out of the commit: ${named.join(", ")}${more}`;
}

function checklist(sources: ReportSources): string {
  const { task, encode } = sources;
  const claims = claimsOf(task);
  const waits = waiting(task);
  const items = [
    box(holds(task, "ContextReady"), readSoFar(task)),
    ...checkedOut(task),
    ...(claims?.checklist ?? []).map((item) => box(item.done, encode(oneLine(item.text), { maxBytes: maxStepBytes }))),
    ...(claims?.step === undefined ? [] : [box(false, encode(oneLine(claims.step), { maxBytes: maxStepBytes }))]),
    ...(waits === "" ? [] : [box(false, encode(waits))]),
  ];
  return items.join("\n");
}

/** The progress that the agent reports; undefined if it comes from an attempt that was lost. */
function claimsOf(task: AgentTask): NonNullable<AgentTask["status"]>["progress"] {
  const { progress: claims } = task.status ?? {};
  const attempt = newestAttempt(task);
  const isLost = attempt?.reason !== undefined || (claims?.attempt ?? attempt?.number) !== attempt?.number;
  return isLost ? undefined : claims;
}

/** Renders what was read, from the beginning of the condition's message: "Read the description and 3 comments; …". */
function readSoFar(task: AgentTask): string {
  const context = conditionOf(task, "ContextReady");
  const itemsRead = context?.status === "True" ? /^Read ([^;`]+);/.exec(context.message)?.[1] : undefined;
  return `read ${itemsRead ?? (task.spec.source.subject.type === "Change" ? "the change" : "the issue")}`;
}

function checkedOut(task: AgentTask): string[] {
  const { baseRef, headRef, headSHA, newBranch } = task.status?.checkout ?? {};
  const from = newBranch ? baseRef : headRef;
  if (from === undefined) return [];
  return [box(holds(task, "SandboxReady"), `checked out \`${from.replaceAll("`", "")}\`${at(headSHA)}`)];
}

/** Renders why the task waits: the message of the first condition that is not `True`. Empty if it does not wait. */
function waiting(task: AgentTask): string {
  const open = task.status?.conditions?.find(({ type, status }) => status !== "True" && type !== "Reported");
  if (open) return oneLine(open.message);
  return phaseOf(task) === "Publishing" ? "publish the work" : "";
}

function footer(sources: ReportSources): string {
  const { task, integration } = sources;
  const mention = `@${integration.status?.bot?.mention ?? "bot"}`;
  if (!isOver(task))
    return [elapsed(sources), branchOf(task) && `\`${branchOf(task)}\``, `\`${mention} stop\` stops it`]
      .filter(Boolean)
      .join(" · ");
  if (phaseOf(task) === "Refused") return "";
  return `Reply \`${mention} …\` to continue; commands: \`stop\`, \`retry\`, \`status\`, \`help\`.`;
}

/** Minimum time between two edits of the report. */
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

function paragraphs(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

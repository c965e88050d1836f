import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { CodeHost, Reporter } from "../../../integrations/connection.ts";
import { cutCharacters } from "../../../intake/cut-text.ts";
import { requesterOf } from "../state.ts";
import { part, withPart } from "./change-parts.ts";

/** What the text of a change is made from. */
export interface ChangeText {
  task: AgentTask;
  profile: AgentProfile;
  commit: string;
  /** What people write after `@` to call the bot. */
  mention: string | undefined;
  reporter: Pick<Reporter, "encode" | "hiddenMarker">;
  host: Pick<CodeHost, "closingWords">;
}

const maxSummaryBytes = 16_384;
const maxTitle = 200;

/** Title of the change: the subject's own title, made harmless. */
export function changeTitle({ task, reporter }: Pick<ChangeText, "task" | "reporter">): string {
  const { title, key } = task.spec.source.subject;
  const words = (title ?? "").replaceAll(/\s+/g, " ").trim() || `Work on ${key}`;
  return reporter.encode(cutCharacters(words, maxTitle)).split("\n")[0] ?? key;
}

/** Body of a change when it is opened. The closing words are ours alone; everything a model wrote went through the desk's encoder. */
export function changeBody(text: ChangeText): string {
  const { hiddenMarker } = text.reporter;
  return [
    closing(text),
    summaryOf(text),
    "---",
    part("newest", newest(text), hiddenMarker),
    part("checks", held(text), hiddenMarker),
  ]
    .filter((words) => words !== undefined)
    .join("\n\n");
}

/**
 * The body of a change that has a further commit of ours: it names that commit, and how its checks stand. What it was opened with and
 * what people wrote stay. Undefined where it has no parts of ours: then it is somebody else's text.
 */
export function bodyWithNewest(body: string, text: ChangeText): string | undefined {
  const { hiddenMarker } = text.reporter;
  const withChecks = withPart(body, "checks", held(text), hiddenMarker);
  // After a crash it may say so already, and where it was opened for this commit the summary stands further up.
  if (withChecks === undefined || body.includes(part("newest", newest(text), hiddenMarker))) return withChecks;
  const words = [summaryOf(text), newest(text)].filter((line) => line !== undefined).join("\n\n");
  return withPart(withChecks, "newest", words, hiddenMarker);
}

/** The body once somebody let the checks of a commit run; undefined where it has no part of ours. */
export function bodyApproved(
  body: string,
  approval: { task: AgentTask; commit: string },
  { hiddenMarker }: Pick<Reporter, "hiddenMarker">,
): string | undefined {
  const { login } = approval.task.spec.actor;
  const words = `**Checks are running.** @${login} has approved \`${approval.commit.slice(0, 7)}\`; an empty commit without the skip marker started them.`;
  return withPart(body, "checks", words, hiddenMarker);
}

/** Says that checks wait, why, and how to let them go. */
export function checksHeldText(commit: string, mention: string | undefined): string {
  const words = `@${mention ?? "bot"} approve ${commit.slice(0, 7)}`;
  return (
    "**Checks are held.** The commit carries the skip marker, so that code that no person has reviewed does not run with the repository's secrets; " +
    `required checks wait for an approval. To approve, a person with write access, other than the requester, reviews the commit and writes \`${words}\`.`
  );
}

/** Whether the checks of what a task pushes are held. */
export function isHeld({ spec }: AgentProfile): boolean {
  return spec.output.ci === "Hold";
}

function summaryOf({ task, reporter }: ChangeText): string | undefined {
  const summary = task.status?.result?.summary;
  return summary === undefined ? undefined : reporter.encode(summary, { maxBytes: maxSummaryBytes });
}

function newest({ task, commit }: ChangeText): string {
  return (
    `Made by Bellhop for ${asked(task)}. Its newest commit is \`${commit.slice(0, 7)}\`, ` +
    "which no person has approved yet: review it like any other commit."
  );
}

function asked(task: AgentTask): string {
  const { login } = requesterOf(task);
  return task.spec.source.provider === "kubernetes" ? `\`${login.replaceAll("`", "")}\` (kubectl)` : `@${login}`;
}

/** A change on top of another stands or falls with it; one for a change that was closed only comes from there. */
function closing({ task, host }: ChangeText): string | undefined {
  const { type, number } = task.spec.source.subject;
  if (number === undefined) return undefined;
  if (type === "Issue") return host.closingWords(number);
  return task.status?.checkout?.stacked ? `On top of #${number}.` : `Requested in #${number}.`;
}

function held({ profile, commit, mention }: ChangeText): string {
  return isHeld(profile) ? checksHeldText(commit, mention) : "";
}

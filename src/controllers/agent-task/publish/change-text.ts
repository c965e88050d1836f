import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { CodeHost, Reporter } from "../../../integrations/connection.ts";
import { cutCharacters } from "../../../intake/cut-text.ts";
import { requesterOf } from "../state.ts";

/** Inputs of the text of a change. */
export interface ChangeText {
  task: AgentTask;
  profile: AgentProfile;
  commit: string;
  /** The name that people write after `@` to mention the bot. */
  mention: string | undefined;
  reporter: Pick<Reporter, "encode" | "hiddenMarker">;
  host: Pick<CodeHost, "closingReference">;
}

/** The parts of a change's text that we update: the newest commit, and the state of its checks. The rest of the text stays unchanged. */
type ChangePart = "newest" | "checks";

/** Turns a name into invisible text; text of a model cannot contain it. */
type HiddenMarker = (name: string) => string;

const maxSummaryBytes = 16_384;
const maxTitle = 200;

/** Renders the title of the change: the subject's own title, encoded. */
export function changeTitle({ task, reporter }: Pick<ChangeText, "task" | "reporter">): string {
  const { title, key } = task.spec.source.subject;
  const clean = (title ?? "").replaceAll(/\s+/g, " ").trim() || `Work on ${key}`;
  return reporter.encode(cutCharacters(clean, maxTitle)).split("\n")[0] ?? key;
}

/** Renders the body of a new change. Only our own text can close an issue; all text of a model goes through the provider's encoder. */
export function changeBody(text: ChangeText): string {
  const { hiddenMarker } = text.reporter;
  return [
    closing(text),
    summaryOf(text),
    "---",
    part("newest", newest(text), hiddenMarker),
    part("checks", held(text), hiddenMarker),
  ]
    .filter((section) => section !== undefined)
    .join("\n\n");
}

/**
 * Updates the body of a change that has a further commit of ours: it names that commit and the state of its checks. The rest of the body
 * stays. Undefined if the body has no parts of ours: then somebody else wrote it.
 */
export function bodyWithNewest(body: string, text: ChangeText): string | undefined {
  const { hiddenMarker } = text.reporter;
  const withChecks = withPart(body, "checks", held(text), hiddenMarker);
  // After a crash the body may name this commit already; in a change that was opened for it, the summary is at the top.
  if (withChecks === undefined || body.includes(part("newest", newest(text), hiddenMarker))) return withChecks;
  const content = [summaryOf(text), newest(text)].filter((line) => line !== undefined).join("\n\n");
  return withPart(withChecks, "newest", content, hiddenMarker);
}

/** Updates the body after somebody approved a commit and its checks run; undefined if the body has no part of ours. */
export function bodyApproved(
  body: string,
  approval: { task: AgentTask; commit: string },
  { hiddenMarker }: Pick<Reporter, "hiddenMarker">,
): string | undefined {
  const { login } = approval.task.spec.actor;
  const content = `**Checks are running.** @${login} has approved \`${approval.commit.slice(0, 7)}\`; an empty commit without the skip marker started them.`;
  return withPart(body, "checks", content, hiddenMarker);
}

/** Explains that checks are held, why, and how to start them. */
export function checksHeldText(commit: string, mention: string | undefined): string {
  const command = `@${mention ?? "bot"} approve ${commit.slice(0, 7)}`;
  return (
    "**Checks are held.** The commit carries the skip marker, so that code that no person has reviewed does not run with the repository's secrets; " +
    `required checks wait for an approval. To approve, a person with write access, other than the requester, reviews the commit and writes \`${command}\`.`
  );
}

/** Whether the checks of pushed commits are held. */
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

/** Links the change to its subject: closes an issue; refers to a change that it is stacked on, or in which it was requested. */
function closing({ task, host }: ChangeText): string | undefined {
  const { type, number } = task.spec.source.subject;
  if (number === undefined) return undefined;
  if (type === "Issue") return host.closingReference(number);
  return task.status?.checkout?.stacked ? `On top of #${number}.` : `Requested in #${number}.`;
}

function held({ profile, commit, mention }: ChangeText): string {
  return isHeld(profile) ? checksHeldText(commit, mention) : "";
}

/** Renders a part of ours between hidden markers. */
function part(name: ChangePart, content: string, hidden: HiddenMarker): string {
  const [begin, end] = markersOf(name, hidden);
  return [begin, content, end].filter((line) => line !== "").join("\n\n");
}

/** Replaces the content of one of our parts; undefined if the text has no such part, as in changes that we did not open. */
function withPart(text: string, name: ChangePart, content: string, hidden: HiddenMarker): string | undefined {
  const [begin, end] = markersOf(name, hidden);
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from + begin.length);
  if (from < 0 || to < 0) return undefined;
  return `${text.slice(0, from)}${part(name, content, hidden)}${text.slice(to + end.length)}`;
}

function markersOf(name: ChangePart, hidden: HiddenMarker): [string, string] {
  return [hidden(`change/${name}`), hidden(`change/${name}/end`)];
}

import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { CodeHost, Reporter } from "../../../integrations/connection.ts";
import { cutCharacters } from "../../../intake/cut-text.ts";
import { requesterOf } from "../state.ts";

/** What the text of a change is made from. */
export interface ChangeText {
  task: AgentTask;
  profile: AgentProfile;
  commit: string;
  /** What people write after `@` to call the bot. */
  mention: string | undefined;
  encode: Reporter["encode"];
  host: Pick<CodeHost, "closingWords">;
}

const maxSummaryBytes = 16_384;
const maxTitle = 200;

/** Title of the change: the subject's own title, made harmless. */
export function changeTitle({ task, encode }: Pick<ChangeText, "task" | "encode">): string {
  const { title, key } = task.spec.source.subject;
  const words = (title ?? "").replaceAll(/\s+/g, " ").trim() || `Work on ${key}`;
  return encode(cutCharacters(words, maxTitle)).split("\n")[0] ?? key;
}

/** Body of the change. The closing words are ours alone; everything a model wrote went through the desk's encoder. */
export function changeBody(text: ChangeText): string {
  const { task, encode } = text;
  const summary = task.status?.result?.summary;
  return [
    closing(text),
    summary === undefined ? undefined : encode(summary, { maxBytes: maxSummaryBytes }),
    `---\nMade by Bellhop for ${asked(task)}. One commit, not signed off by a person yet: read it as you would anybody's.`,
    held(text),
  ]
    .filter((part) => part !== undefined)
    .join("\n\n");
}

function asked(task: AgentTask): string {
  const { login } = requesterOf(task);
  return task.spec.source.provider === "kubernetes" ? `\`${login.replaceAll("`", "")}\` (kubectl)` : `@${login}`;
}

function closing({ task, host }: ChangeText): string | undefined {
  const { type, number } = task.spec.source.subject;
  if (number === undefined) return undefined;
  return type === "Issue" ? host.closingWords(number) : `On top of #${number}.`;
}

/** Says that checks wait, why, and how to let them go. */
function held({ profile, commit, mention }: ChangeText): string | undefined {
  if (profile.spec.output.ci !== "Hold") return undefined;
  const words = `@${mention ?? "bot"} approve ${commit.slice(0, 7)}`;
  return (
    "**Checks are held.** The commit carries the skip marker, so that code nobody has read yet does not run with the repository's secrets; " +
    `required checks wait until then. Once you have read it, somebody other than the requester with write access writes \`${words}\`.`
  );
}

import { createHash } from "node:crypto";
import type { AgentTask } from "../../api/kinds.ts";
import type { Connection, Reread } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { promptOf } from "../../intake/build-task.ts";
import { parseCommand } from "../../intake/parse-command.ts";
import { defined } from "../../shared/defined.ts";
import type { StatusFields } from "./facts.ts";
import { isWork } from "./state.ts";

/** The request in a text that was edited after the event. */
export interface EditedRequest {
  words: string;
  visibleText: string;
  /** The beginning of the text, for the report. */
  quote?: string;
}

/** Whether the text is not that of the event any more. */
export function isEdited({ spec }: AgentTask, reread: Reread | undefined): boolean {
  const { textSHA256 } = spec.source;
  if (!reread?.found || reread.text === undefined || textSHA256 === undefined) return false;
  return createHash("sha256").update(reread.text).digest("hex") !== textSHA256;
}

/** Reads the request in an edited text; undefined if it is not edited, or asks the bot for nothing any more. Pure. */
export function readEdited(
  { source, thread }: Connection,
  task: AgentTask,
  reread: Reread,
  mention: string | undefined,
): EditedRequest | undefined {
  if (!reread.found || reread.text === undefined || mention === undefined || !isEdited(task, reread)) return undefined;
  const request = source.request?.(reread.text, mention);
  return request && { ...request, ...defined({ quote: thread?.excerpt(reread.text, mention) }) };
}

/**
 * Why the edited text is not accepted. It is accepted if its author alone edited it, for example to fix a typing error: then the new text is what
 * the author wants. Anybody else with write access could put words into the author's mouth. Undefined if it is accepted. Pure.
 */
export function whyNotAccepted(
  { spec }: AgentTask,
  { editors }: Extract<Reread, { found: true }>,
  edited: EditedRequest | undefined,
): string | undefined {
  const advice = "Nothing was started; to ask for it, write a new comment.";
  const who = `@${spec.actor.login}`;
  if (!editors)
    return `The text was edited just after ${who} wrote it, and the provider does not say who edited it. ${advice}`;
  if (editors.some((id) => id !== spec.actor.id))
    return `The text was edited just after ${who} wrote it, and not only by ${who}. ${advice}`;
  if (!edited) return `${who} edited the text, and it does not mention the bot any more. ${advice}`;
  const now = parseCommand(edited.words);
  const isSame = now?.command === spec.command && now?.argument === spec.commandArgument;
  return isSame ? undefined : `${who} edited the text, and it asks for something else than before. ${advice}`;
}

/** The fields that make the new text count. A command has no prompt. */
export function acceptEdited(task: AgentTask, integration: Integration, edited: EditedRequest): StatusFields {
  if (!isWork(task)) return {};
  const { words, visibleText, quote } = edited;
  const trigger = integration.spec.triggers.find(({ name }) => name === task.spec.source.trigger);
  const prompt = promptOf({ ...defined({ trigger }), signal: { kind: "mention", words } }, { visibleText });
  return {
    request: { prompt },
    ...(quote === undefined ? {} : { report: { ...task.status?.report, quote } }),
  };
}

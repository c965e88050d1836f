import { createHash } from "node:crypto";
import type { z } from "zod";
import { visible, wordsOf } from "../mention.ts";
import { channelOf, eventOf, ignored, threadSubject, type Reading, type Source } from "./event.ts";
import type { slashCommand } from "./payload.ts";

const askedForHelp = /^(?:help[.!]?)?$/i;

/** Reads a slash command. It belongs to no thread, so each one begins a conversation: that of its report, once it is posted. Slack shows the message of an ignored one to the person. */
export function readSlashCommand(payload: z.infer<typeof slashCommand>, source: Source): Reading {
  const words = wordsOf(payload.text, [...source.botIds][0]);
  if (askedForHelp.test(words)) return ignored(source, "Help", helpFor(payload.command));
  const { channel_id, channel_name, trigger_id, text } = payload;
  const channel = { id: channel_id, name: channel_name };
  const root = `slash/${createHash("sha256").update(trigger_id).digest("hex").slice(0, 16)}`;
  return eventOf(source, {
    event: "slash_command",
    cause: `slack/command/${source.instance}/${trigger_id}`,
    object: { type: "Command", id: trigger_id },
    subject: threadSubject(channel, root),
    conversation: `${source.instance}/${channel_id}/${root}`,
    channel: channelOf(channel),
    actor: { id: payload.user_id, login: payload.user_name },
    occurredAt: source.sentAt,
    text,
    visibleText: visible(text, [...source.botIds][0]),
    signal: { kind: "slashCommand", words },
  });
}

function helpFor(given: string): string {
  const name = /^\/[\w-]{1,63}$/.test(given) ? given : "/bellhop";
  return [
    `Write ${name} and the work that you ask for, for example: ${name} fix the login test in acme/shop.`,
    `${name} help shows this text.`,
    `${name} status shows the requests of this channel, and ${name} stop stops yours. Only you see the answers.`,
    `${name} stop 2 stops the second request of the list that you saw last; a name or all is possible, too.`,
    "In a thread, mention the bot instead; then follow-ups in the thread need no mention.",
    "Other commands, such as retry and approve, belong in the thread of the work, or use the buttons of its report.",
  ].join("\n");
}

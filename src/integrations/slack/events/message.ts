import { findMention, visible, wordsOf, type Mention } from "../mention.ts";
import type { Signal } from "../../event.ts";
import {
  channelOf,
  eventOf,
  ignored,
  threadSubject,
  timeOf,
  type Ignored,
  type Reading,
  type Source,
} from "./event.ts";
import { message as messageSchema, messageKind, type Message } from "./payload.ts";

/** Subtypes of messages that a person wrote: with a file, and in a thread but also shown in its channel. */
const writtenByPeople = new Set(["file_share", "thread_broadcast"]);

/** Reads an `app_mention`: a message that mentions the bot, as Slack found it. */
export function readAppMention(event: unknown, source: Source): Reading {
  const reading = readMessage(event, source);
  if ("event" in reading || reading.reason !== notMentioned) return reading;
  if (source.botIds.size > 0)
    return ignored(source, notMentioned, "The text mentions the bot only in a quote, or not at all.");
  const message = "The integration has not signed in yet, so its bot user is not known.";
  return { ...ignored(source, "BotUnknown", message), again: true };
}

/**
 * Reads a `message`. Slack sends every message of the bot's channels; only those to the bot give events: direct messages, mentions, and
 * messages in a thread that the bot takes part in. A mention gives the same event as its `app_mention`. Nothing is kept of other messages.
 */
export function readMessage(event: unknown, source: Source): Reading {
  const { subtype, bot_id } = messageKind.parse(event);
  if (subtype && !writtenByPeople.has(subtype)) return privately(...(bySubtype.get(subtype) ?? unknownSubtype));
  const message = messageSchema.parse(event);
  if (message.user && source.botIds.has(message.user))
    return privately("OwnBot", "The bot itself wrote this; its own messages do not trigger tasks.");
  if (bot_id || !message.user) return privately(...botMessage);
  if (message.edited) return privately(...edited);
  const call = callIn(message, source);
  return call ? eventOf(call.source, particulars({ message, user: message.user, call })) : nobodyCalled;
}

const notMentioned = "NotMentioned";
const edited = ["Edited", "Edited messages do not trigger tasks; write a new message."] as const;
const botMessage = ["BotMessage", "Messages of apps and bots do not trigger tasks."] as const;
const unknownSubtype = ["UnknownAction", "Bellhop does not handle messages of this subtype."] as const;
const bySubtype = new Map<string, readonly [reason: string, message: string]>([
  ["message_changed", edited],
  ["message_deleted", ["Deleted", "A deletion does not trigger tasks."]],
  ["bot_message", botMessage],
]);

const nobodyCalled = privately(notMentioned, "The message is not addressed to the bot.");

/** Without an origin: the integration does not matter, and the answer stays private whichever integration the message belongs to. */
function privately(reason: string, message: string): Ignored {
  return { outcome: "ignored", reason, message, private: true };
}

/** How a message addresses the bot. `event`: the name of Slack's event for it. `source`: the workspace whose bot it addresses. */
interface Call {
  event: "app_mention" | "message";
  source: Source;
  signal: Signal;
  botId: string | undefined;
}

function callIn(message: Message, source: Source): Call | undefined {
  const mention = findMention(message.text, source.botIds);
  if (channelOf(placeOf(message)).type === "Direct") return calledBy("directMessage", { message, mention, source });
  if (mention) return { ...calledBy("mention", { message, mention, source }), event: "app_mention" };
  const live = message.thread_ts ? workspaceOfThread(message, source) : undefined;
  if (!live) return undefined;
  return {
    event: "message",
    source: live,
    signal: { kind: "mention", words: wordsOf(message.text), followUp: true },
    botId: undefined,
  };
}

/**
 * The workspace in which the bot was called in the thread of a message. If workspaces share the channel and the app is installed in several of
 * them, Slack delivers a message once, for any of these.
 */
function workspaceOfThread(message: Message, source: Source): Source | undefined {
  const others = (source.installations ?? []).map(({ id }) => ({ ...source, instance: id, installationId: id }));
  return [source, ...others].find((each) => each.isLive(conversationOf(message, each)));
}

function calledBy(
  kind: "mention" | "directMessage",
  { message: { text }, mention, source }: { message: Message; mention: Mention | undefined; source: Source },
): Call {
  return { event: "message", source, signal: { kind, words: mention?.words ?? wordsOf(text) }, botId: mention?.botId };
}

interface Called {
  message: Message;
  user: string;
  call: Call;
}

function particulars({ message, user, call }: Called): Parameters<typeof eventOf>[1] {
  const { channel, ts, text } = message;
  const { source } = call;
  return {
    event: call.event,
    cause: `slack/${source.instance}/${channel}/${ts}`,
    object: { type: "Message", id: `${channel}/${ts}` },
    subject: threadSubject({ id: channel }, rootOf(message)),
    conversation: conversationOf(message, source),
    channel: channelOf(placeOf(message)),
    actor: { id: user, login: message.user_profile?.name },
    occurredAt: timeOf(ts),
    text,
    visibleText: visible(text, call.botId),
    signal: call.signal,
  };
}

function placeOf({ channel, channel_type }: Message): Parameters<typeof channelOf>[0] {
  return { id: channel, type: channel_type };
}

function conversationOf(message: Message, { instance }: Source): string {
  return `${instance}/${message.channel}/${rootOf(message)}`;
}

function rootOf({ ts, thread_ts }: Message): string {
  return thread_ts ?? ts;
}

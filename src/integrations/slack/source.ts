import type { Reread, Source, ThreadTarget } from "../connection.ts";
import { isProviderFailure } from "../errors.ts";
import type { SlackClient } from "./client.ts";
import { gather, type SourceDeps } from "./context.ts";
import { isEditedSince, readMessage, type SlackMessage } from "./messages.ts";
import { messageOf, placeOf, type Place } from "./place.ts";

/** Reads the message that triggered a task, and its thread. */
export function source(deps: SourceDeps): Source {
  return {
    reread: (target, signal) => reread(deps, target, signal),
    gather: (target, wanted, signal) => gather(deps, target, wanted, signal),
  };
}

async function reread(deps: SourceDeps, target: ThreadTarget, signal: AbortSignal): Promise<Reread> {
  const { client } = deps;
  const place = placeOf(target);
  if (!place) return { found: false, message: "The task names no channel of Slack." };
  if (target.source.signal?.type === "SlashCommand") return ofSlashCommand(deps, target, place.channel, signal);
  try {
    const privacy = privacyOf(await readChannel(client, place.channel, signal));
    if (target.source.object?.type === "Command") return ofCommand(target, privacy);
    const ts = messageOf(target.source);
    const message = ts === undefined ? undefined : await readMessage(client, place, ts, signal);
    return message ? found(target, { place, message, privacy }) : gone(target);
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return gone(target);
    throw error;
  }
}

/** People use slash commands everywhere, also in channels and direct messages in which the bot is not. */
async function ofSlashCommand(
  { client, who }: SourceDeps,
  target: ThreadTarget,
  channel: string,
  signal: AbortSignal,
): Promise<Reread> {
  const info = await channelIfVisible(client, channel, signal);
  const read = ofCommand(target, privacyOf(info));
  if (info && (info.is_im === true || info.is_member !== false)) return read;
  const { key } = target.source.subject;
  const here = key.startsWith("#") ? key : "this conversation";
  const { login } = await who(signal);
  const unreachable = `The bot is not in ${here}, so nothing was started: its report could not be posted there. Invite the bot with \`/invite @${login}\` and ask again, or ask in another channel.`;
  return { ...read, unreachable };
}

async function channelIfVisible(
  client: SlackClient,
  channel: string,
  signal: AbortSignal,
): Promise<Channel | undefined> {
  try {
    return await readChannel(client, channel, signal);
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}

/** A slash command, button or menu exists only in the signed delivery, so there is nothing to compare; the delivery names the person. */
function ofCommand({ source: { subject } }: ThreadTarget, privacy: Privacy): Extract<Reread, { found: true }> {
  return {
    found: true,
    actor: { id: "", login: "", isBot: false },
    text: undefined,
    subjectKey: subject.key,
    editedAfter: false,
    ...privacy,
  };
}

interface Found {
  place: Place;
  message: SlackMessage;
  privacy: Privacy;
}

function found(
  { source: { subject, occurredAt, receivedAt } }: ThreadTarget,
  { place, message, privacy }: Found,
): Reread {
  const { user, bot_id, subtype, text, edited, ts, thread_ts } = message;
  const thread = thread_ts ?? ts;
  const id = user ?? bot_id ?? "";
  return {
    found: true,
    actor: { id, login: id, isBot: bot_id !== undefined || subtype === "bot_message" },
    text: text ?? "",
    subjectKey:
      place.thread === undefined || place.thread === thread ? subject.key : `slack ${place.channel}/${thread}`,
    editedAfter: isEditedSince(edited, new Date(occurredAt ?? receivedAt ?? 0)),
    ...privacy,
  };
}

function gone({ source: { subject, url } }: ThreadTarget): Reread {
  return {
    found: false,
    message: `The message that triggered this task in ${subject.key}${url ? ` (${url})` : ""} no longer exists, or the bot cannot read it any more.`,
  };
}

interface Channel {
  is_im?: boolean;
  is_mpim?: boolean;
  is_private?: boolean;
  is_group?: boolean;
  is_shared?: boolean;
  is_ext_shared?: boolean;
  is_channel?: boolean;
  /** Whether the bot is a member; absent for direct messages. */
  is_member?: boolean;
}

/** Who can read a channel, and write in it. */
type Privacy = Pick<Extract<Reread, { found: true }>, "private" | "direct">;

/** Direct messages, private channels, and channels that other workspaces share: only some people can read them. Anything unknown counts as private. */
function privacyOf(info: Channel | undefined): Privacy {
  if (info?.is_im === true) return { private: true, direct: true };
  if (!info || info.is_channel !== true) return { private: true };
  const { is_mpim, is_private, is_group, is_shared, is_ext_shared } = info;
  return { private: [is_mpim, is_private, is_group, is_shared, is_ext_shared].includes(true) };
}

async function readChannel(client: SlackClient, channel: string, signal: AbortSignal): Promise<Channel | undefined> {
  const call = { doing: `read the channel ${channel}`, method: "conversations.info", args: { channel } } as const;
  return (await client.call<{ channel?: Channel }>(call, signal)).channel;
}

import type { Channel, Message } from "../state/channels.ts";
import { covers, findMessage, repliesOf, teamsOf } from "../state/find.ts";
import { openDirectMessage } from "../actions/channels.ts";
import { viewChannel } from "../view/channel.ts";
import { viewMessage } from "../view/message.ts";
import { channelOf, requireChannelScope } from "./access.ts";
import { SlackFailure } from "./failure.ts";
import { reading, writing } from "./method.ts";
import type { Answer, BotCall, Method } from "./method.ts";
import { pageOf } from "./page.ts";

/** Channels and their messages. The scope depends on the kind of the channel, so each method checks it. */
export const conversationMethods: Method[] = [
  reading("conversations.info", [], info),
  reading("conversations.history", [], history),
  reading("conversations.replies", [], replies),
  reading("conversations.members", [], members),
  reading("conversations.list", ["channels:read", "groups:read", "im:read", "mpim:read"], (call) => list(call)),
  reading("users.conversations", ["channels:read", "groups:read", "im:read", "mpim:read"], userConversations),
  writing("conversations.open", ["im:write", "mpim:write"], open),
  writing("conversations.join", ["channels:join"], join),
];

function info(call: BotCall): Answer {
  const channel = readable(call, "read");
  const view = viewChannel(channel, call.installation.bot);
  const counted = call.params.flag("include_num_members") ? { num_members: channel.members.size } : {};
  return { channel: { ...view, ...counted } };
}

/** The newest messages first, without replies. */
function history(call: BotCall): Answer {
  const channel = readable(call, "history");
  if (!channel.members.has(call.installation.bot.id)) throw new SlackFailure("not_in_channel");
  const shown = channel.messages.filter(
    (message) =>
      (visible(message) || isTombstone(channel, message)) && (message.threadTs === null || message.broadcast),
  );
  const page = pageOf(call.params, within(call, shown).toReversed(), { usual: 100, most: 999 });
  return { ...messagesOf(call, channel, page), pin_count: 0, channel_actions_ts: null, channel_actions_count: 0 };
}

/** The first message of a thread, and then its replies, oldest first. */
function replies(call: BotCall): Answer {
  const channel = readable(call, "history");
  if (!channel.members.has(call.installation.bot.id)) throw new SlackFailure("not_in_channel");
  const ts = call.params.required("ts");
  const found = findMessage(channel, ts);
  if (found?.ephemeralFor) throw new SlackFailure("thread_not_found");
  const first = found?.threadTs ? findMessage(channel, found.threadTs) : found;
  const answers = repliesOf(channel, found?.threadTs ?? ts);
  if (!first && answers.length === 0) throw new SlackFailure("thread_not_found");
  const parent = channel.messages.find((message) => message.ts === (first?.ts ?? ts));
  const shown = parent ? [parent] : [];
  const page = pageOf(call.params, [...shown, ...within(call, answers)], { usual: 1_000, most: 1_000 });
  return messagesOf(call, channel, page);
}

function members(call: BotCall): Answer {
  const channel = readable(call, "read");
  const page = pageOf(call.params, [...channel.members], { usual: 100, most: 1_000 });
  return { members: page.items, response_metadata: { next_cursor: page.next } };
}

function userConversations(call: BotCall): Answer {
  const user = call.params.text("user") ?? call.installation.bot.id;
  if (!call.world.data.users.some(({ id }) => id === user)) throw new SlackFailure("user_not_found");
  return list(call, user);
}

function list({ world, params, installation }: BotCall, member?: string): Answer {
  const types = (params.text("types") ?? "public_channel").split(",").map((type) => type.trim());
  const wanted = new Set(types.map((type) => type.replace("_channel", "")));
  if ([...wanted].some((kind) => !["public", "private", "im", "mpim"].includes(kind)))
    throw new SlackFailure("invalid_types");
  const { bot } = installation;
  const found = world.data.channels.filter(
    (channel) =>
      wanted.has(channel.kind) &&
      teamsOf(channel).some((team) => covers(installation, team)) &&
      (channel.kind === "public" || channel.members.has(bot.id)) &&
      (member === undefined || channel.members.has(member)) &&
      !(channel.archived && params.flag("exclude_archived")),
  );
  const page = pageOf(params, found, { usual: 100, most: 999 });
  const channels = page.items.map((channel) => viewChannel(channel, bot));
  return { channels, response_metadata: { next_cursor: page.next } };
}

function open({ world, params, installation }: BotCall): Answer {
  const ids = params.required("users").split(",");
  const users = ids.map((id) => world.data.users.find((user) => user.id === id));
  const known = users.filter((user) => user !== undefined);
  if (known.length < ids.length) throw new SlackFailure("user_not_found");
  const { channel, created } = openDirectMessage(world, [installation.bot, ...known]);
  const view = params.flag("return_im") ? viewChannel(channel, installation.bot) : { id: channel.id };
  return { ...(!created && { no_op: true, already_open: true }), channel: view };
}

function join(call: BotCall): Answer {
  const channel = channelOf(call);
  if (channel.kind !== "public") throw new SlackFailure("method_not_supported_for_channel_type");
  if (channel.archived) throw new SlackFailure("is_archived");
  channel.members.add(call.installation.bot.id);
  return { channel: viewChannel(channel, call.installation.bot) };
}

function readable(call: BotCall, action: "read" | "history"): Channel {
  const channel = channelOf(call);
  requireChannelScope(call.installation, channel, action);
  return channel;
}

/** The first message of a thread stays as a tombstone if it is deleted. */
function isTombstone(channel: Channel, { deleted, ts }: Message): boolean {
  return deleted && repliesOf(channel, ts).length > 0;
}

function visible(message: Message): boolean {
  return !message.deleted && !message.ephemeralFor;
}

/** Applies `oldest`, `latest` and `inclusive`. */
function within({ params }: BotCall, messages: Message[]): Message[] {
  const oldest = params.text("oldest") ?? "0";
  const latest = params.text("latest") ?? "";
  const inclusive = params.flag("inclusive");
  return messages.filter(({ ts }) => {
    if (inclusive && (ts === oldest || ts === latest)) return true;
    return Number(ts) > Number(oldest) && (latest === "" || Number(ts) < Number(latest));
  });
}

function messagesOf(call: BotCall, channel: Channel, page: { items: Message[]; next: string }): Answer {
  const metadata = call.params.flag("include_all_metadata");
  return {
    messages: page.items.map((message) => viewMessage(call.world, channel, message, { metadata })),
    has_more: page.next !== "",
    ...(page.next !== "" && { response_metadata: { next_cursor: page.next } }),
  };
}

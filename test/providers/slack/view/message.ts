import type { Channel, Message } from "../state/channels.ts";
import { repliesOf } from "../state/find.ts";
import type { World } from "../state/world.ts";

/** A message as `conversations.history` and events show it. Metadata is shown only if it is asked for, and to the app in events. */
export function viewMessage(
  world: World,
  channel: Channel,
  message: Message,
  with_: { metadata?: boolean; thread?: boolean } = {},
): Record<string, unknown> {
  if (message.deleted) return viewTombstone(world, channel, message);
  return {
    type: "message",
    text: message.text,
    ts: message.ts,
    ...viewAuthor(message),
    ...(message.clientMsgId !== null && { client_msg_id: message.clientMsgId }),
    ...(message.blocks !== null && { blocks: message.blocks }),
    ...(message.edited && { edited: message.edited }),
    ...(with_.metadata === true && message.metadata && { metadata: message.metadata }),
    ...(message.reactions.length > 0 && { reactions: viewReactions(message) }),
    ...viewThread(world, channel, message, with_.thread ?? true),
  };
}

/** A deleted message with replies. */
function viewTombstone(world: World, channel: Channel, message: Message): Record<string, unknown> {
  const deleted = { subtype: "tombstone", text: "This message was deleted.", user: "USLACKBOT", hidden: true };
  return { type: "message", ...deleted, ts: message.ts, ...viewThread(world, channel, message, true) };
}

/** Incoming webhooks have a `bot_id` and no account. */
function viewAuthor(message: Message): Record<string, unknown> {
  const { user, webhook } = message;
  if (webhook !== null) return { subtype: "bot_message", username: webhook, bot_id: "B0WEBHOOK00" };
  return { user: user.id, team: user.team.id, ...viewApp(message) };
}

function viewApp({ app, user }: Message): Record<string, unknown> {
  if (!app || !user.bot) return {};
  const image = `https://avatars.slack-edge.com/${app.id}`;
  const icons = { image_36: `${image}_36.png`, image_48: `${image}_48.png`, image_72: `${image}_72.png` };
  const { id } = user.bot;
  return {
    bot_id: id,
    app_id: app.id,
    bot_profile: {
      id,
      deleted: false,
      name: app.name,
      updated: user.updatedAt,
      app_id: app.id,
      icons,
      team_id: user.team.id,
    },
  };
}

function viewReactions(message: Message): Record<string, unknown>[] {
  return message.reactions.map(({ name, users }) => ({ name, users: [...users], count: users.length }));
}

function viewThread(world: World, channel: Channel, message: Message, counts: boolean): Record<string, unknown> {
  if (message.threadTs !== null) {
    const parent = channel.messages.find(({ ts }) => ts === message.threadTs);
    return {
      thread_ts: message.threadTs,
      ...(parent && { parent_user_id: parent.user.id }),
      ...(message.broadcast && { subtype: "thread_broadcast" }),
    };
  }
  const replies = counts ? repliesOf(channel, message.ts) : [];
  const latest = replies.at(-1);
  if (!latest) return {};
  const users = [...new Set(replies.map(({ user }) => user.id))];
  return {
    thread_ts: message.ts,
    reply_count: replies.length,
    reply_users: users.slice(0, 5),
    reply_users_count: users.length,
    latest_reply: latest.ts,
    is_locked: false,
    subscribed: world.data.installations.some(({ bot }) => users.includes(bot.id)),
  };
}

import { edit, post, react as addReaction, remove } from "../actions/messages.ts";
import { findApp, findChannel, installationAt, must } from "../state/find.ts";
import type { World } from "../state/world.ts";
import { actor, messageAt, withIds } from "./resolve.ts";
import type { By, MessageRef } from "./resolve.ts";

/** A message of a person. */
export interface Said extends By {
  /** Name or id. */
  channel: string;
  /** In Slack's format; `<@name>` becomes `<@id>`. */
  text: string;
  /** The first message of a thread (or its `ts`), to reply there. */
  thread?: MessageRef | string;
  /** Also show the reply in the channel. */
  broadcast?: boolean;
}

/** Posts a message. Sends `message`, and `app_mention` to each app that it mentions. */
export function posts(world: World, given: Said): MessageRef {
  const user = actor(world, given);
  const channel = findChannel(world, given.channel);
  if (user.deleted) throw new Error(`Slack stand-in: ${user.name} is deactivated.`);
  if (channel.archived) throw new Error(`Slack stand-in: #${channel.name} is archived.`);
  if (!channel.members.has(user.id)) throw new Error(`Slack stand-in: ${user.name} is not in ${given.channel}.`);
  const text = withIds(world, given.text);
  const threadTs = typeof given.thread === "string" ? given.thread : (given.thread?.ts ?? null);
  const blocks = [richText(text)];
  const { ts } = post(world, channel, { user, text, blocks, threadTs, broadcast: given.broadcast ?? false });
  return { channel: channel.id, ts };
}

/** Posts a message that begins with a mention of an app's bot (the first app by default). */
export function mentions(world: World, given: Said & { app?: string }): MessageRef {
  const app = findApp(world, given.app);
  const installation = installationAt(world, app, findChannel(world, given.channel));
  const { bot } = must(installation, `app ${app.name} in the channel's workspaces`);
  return posts(world, { ...given, text: `<@${bot.id}> ${given.text}` });
}

/** Posts a message of an incoming webhook that this person set up: `bot_message` with a `bot_id` and no account. */
export function webhookPosts(
  world: World,
  given: By & { channel: string; text: string; username: string },
): MessageRef {
  const channel = findChannel(world, given.channel);
  const text = withIds(world, given.text);
  const { ts } = post(world, channel, { user: actor(world, given), webhook: given.username, text });
  return { channel: channel.id, ts };
}

/** Edits an own message. Sends `message_changed`, and no `app_mention`. */
export function edits(world: World, given: By & { message: MessageRef; text: string }): void {
  const by = actor(world, given);
  const { channel, message } = messageAt(world, given.message, by);
  const text = withIds(world, given.text);
  edit(world, channel, message, { text, blocks: [richText(text)], by });
}

/** Deletes a message. Sends `message_deleted`. */
export function deletes(world: World, given: By & { message: MessageRef }): void {
  const { channel, message } = messageAt(world, given.message, actor(world, given));
  remove(world, channel, message);
}

/** Adds a reaction. */
export function reacts(world: World, given: By & { message: MessageRef; name: string }): void {
  const user = actor(world, given);
  addReaction(messageAt(world, given.message, user).message, user, given.name);
}

/** The block that Slack's clients make from typed text: mentions are elements. */
function richText(text: string): Record<string, unknown> {
  const parts = text.split(/(<@[UW][A-Z0-9]+>)/).filter((part) => part !== "");
  const elements = parts.map((part) => {
    const user = /^<@([UW][A-Z0-9]+)>$/.exec(part)?.[1];
    return user === undefined ? { type: "text", text: unescape(part) } : { type: "user", user_id: user };
  });
  return { type: "rich_text", block_id: "txt", elements: [{ type: "rich_text_section", elements }] };
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

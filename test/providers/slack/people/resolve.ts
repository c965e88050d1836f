import type { App } from "../state/apps.ts";
import type { Channel, Message } from "../state/channels.ts";
import { findChannel, findUser, must } from "../state/find.ts";
import type { User } from "../state/teams.ts";
import type { World } from "../state/world.ts";

/** The person who acts. */
export interface By {
  /** Name or id. */
  as: string;
}

/** A message, as `posts` returns it. */
export interface MessageRef {
  /** The channel's id. */
  channel: string;
  ts: string;
}

/** The acting person. */
export function actor(world: World, { as }: By): User {
  return findUser(world, as);
}

/** The channel with the message, and the message as this person sees it: other people's ephemeral messages are not found. */
export function messageAt(world: World, ref: MessageRef, seenBy?: User): { channel: Channel; message: Message } {
  const channel = findChannel(world, ref.channel);
  const message = channel.messages.find(
    (candidate) =>
      candidate.ts === ref.ts &&
      !candidate.deleted &&
      (seenBy === undefined || candidate.ephemeralFor === null || candidate.ephemeralFor === seenBy),
  );
  return { channel, message: must(message, `message ${ref.ts} in ${ref.channel}`) };
}

/** The app that posted a message. */
export function appOf(message: Message): App {
  return must(message.app, `app behind message ${message.ts}: a person wrote it`);
}

/** Replaces `<@name>` by `<@id>` for names of the stand-in's accounts, as Slack does for what people type. */
export function withIds(world: World, text: string): string {
  return text.replaceAll(/<@([^>|]+)>/g, (all, name: string) => {
    const user = world.data.users.find((candidate) => candidate.name === name);
    return user ? `<@${user.id}>` : all;
  });
}

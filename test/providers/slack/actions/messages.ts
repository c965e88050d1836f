import { randomUUID } from "node:crypto";
import { emitChanged, emitDeleted, emitPosted } from "../events.ts";
import type { App } from "../state/apps.ts";
import type { Channel, Message, MessageMetadata } from "../state/channels.ts";
import type { User } from "../state/teams.ts";
import { newTs } from "../state/world.ts";
import type { World } from "../state/world.ts";
import { viewMessage } from "../view/message.ts";

/** The content of a message. */
export interface Content {
  text?: string | undefined;
  blocks?: Record<string, unknown>[] | null | undefined;
  metadata?: MessageMetadata | null | undefined;
}

/** A new message. */
export interface NewMessage extends Content {
  user: User;
  app?: App | null;
  webhook?: string;
  threadTs?: string | null;
  broadcast?: boolean;
  ephemeralFor?: User | null;
  unfurls?: Message["unfurls"];
}

/** Posts a message and sends its events. Ephemeral messages have no events. */
export function post(world: World, channel: Channel, given: NewMessage): Message {
  const message: Message = {
    ts: newTs(world),
    user: given.user,
    app: given.app ?? null,
    webhook: given.webhook ?? null,
    text: given.text ?? "",
    blocks: given.blocks ?? null,
    metadata: given.metadata ?? null,
    threadTs: given.threadTs ?? null,
    broadcast: given.broadcast ?? false,
    clientMsgId: given.app || given.webhook !== undefined ? null : randomUUID(),
    edited: null,
    deleted: false,
    ephemeralFor: given.ephemeralFor ?? null,
    reactions: [],
    unfurls: given.unfurls ?? { links: true, media: true },
  };
  channel.messages.push(message);
  if (!message.ephemeralFor) emitPosted(world, channel, message);
  return message;
}

/** Changes a message and sends its event. Absent fields stay as they are; null removes blocks or metadata. */
export function edit(world: World, channel: Channel, message: Message, given: Content & { by: User }): void {
  const before = viewMessage(world, channel, message);
  message.text = given.text ?? message.text;
  message.blocks = given.blocks === undefined ? message.blocks : given.blocks;
  message.metadata = given.metadata === undefined ? message.metadata : given.metadata;
  message.edited = { user: given.by.id, ts: newTs(world) };
  if (!message.ephemeralFor) emitChanged(world, channel, message, before);
}

/** Deletes a message and sends its event. */
export function remove(world: World, channel: Channel, message: Message): void {
  const before = viewMessage(world, channel, message);
  message.deleted = true;
  if (!message.ephemeralFor) emitDeleted(world, channel, message, before);
}

/** Adds a reaction. Returns false if the account has already added it. */
export function react(message: Message, user: User, name: string): boolean {
  const reaction = message.reactions.find((other) => other.name === name);
  if (!reaction) message.reactions.push({ name, users: [user.id] });
  else if (reaction.users.includes(user.id)) return false;
  else reaction.users.push(user.id);
  return true;
}

/** Removes a reaction. Returns false if the account has not added it. */
export function unreact(message: Message, user: User, name: string): boolean {
  const reaction = message.reactions.find((other) => other.name === name);
  if (!reaction?.users.includes(user.id)) return false;
  reaction.users.splice(reaction.users.indexOf(user.id), 1);
  if (reaction.users.length === 0) message.reactions.splice(message.reactions.indexOf(reaction), 1);
  return true;
}

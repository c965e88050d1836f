import { readable } from "./readable.ts";
import { findChannel, findUser, repliesOf } from "./state/find.ts";
import type { Channel, Message } from "./state/channels.ts";
import type { World } from "./state/world.ts";

/** A message as a person sees it. */
export interface SeenMessage {
  /** The channel's id. */
  channel: string;
  ts: string;
  /** Name of the author. */
  author: string;
  text: string;
  blocks: Record<string, unknown>[];
  /** The text of the blocks as people read it, with menus and buttons in brackets. */
  shown: string;
  /** The `ts` of the thread's first message, if this is a reply. */
  thread: string | undefined;
  edited: boolean;
  ephemeral: boolean;
  metadata: { event_type: string; event_payload: Record<string, unknown> } | undefined;
  /** Names of reactions. */
  reactions: string[];
  unfurls: { links: boolean; media: boolean };
}

/** The messages of a channel that are not deleted, oldest first. Without a person, no ephemeral ones. */
export function messagesIn(
  world: World,
  name: string,
  { as, thread }: { as?: string; thread?: string } = {},
): SeenMessage[] {
  const channel = findChannel(world, name);
  const person = as === undefined ? null : findUser(world, as);
  const sees = (message: Message): boolean =>
    !message.deleted &&
    (message.ephemeralFor === null || (message.ephemeralFor === person && isShown(channel, message)));
  return channel.messages
    .filter(
      (message) => sees(message) && (thread === undefined || message.threadTs === thread || message.ts === thread),
    )
    .map((message) => ({
      channel: channel.id,
      ts: message.ts,
      author: message.webhook ?? message.user.name,
      text: message.text,
      blocks: message.blocks ?? [],
      shown: readable(world, message),
      thread: message.threadTs ?? undefined,
      edited: message.edited !== null,
      ephemeral: message.ephemeralFor !== null,
      metadata: message.metadata ?? undefined,
      reactions: message.reactions.map((reaction) => reaction.name),
      unfurls: message.unfurls,
    }));
}

/** Slack shows an ephemeral message in a thread only if the thread has replies. Source: Slack, "chat.postEphemeral", `thread_ts`. */
function isShown(channel: Channel, { threadTs }: Message): boolean {
  return threadTs === null || repliesOf(channel, threadTs).length > 0;
}

/** All text of a message's blocks, as a reader sees it. */
export function shownText({ blocks }: Pick<SeenMessage, "blocks">): string {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === "object" && value !== null) {
      const { text } = value as { text?: unknown };
      if (typeof text === "string") texts.push(text);
      Object.values(value).forEach(collect);
    }
  };
  collect(blocks);
  return texts.join("");
}

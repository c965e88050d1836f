import type { People } from "./index.ts";
import type { Option, Reply } from "./interact.ts";
import type { MessageRef } from "./resolve.ts";

/** One person at Slack: the actions of `people` with the person and the usual arguments in order. */
export interface Person {
  name: string;
  posts(
    channel: string,
    text: string,
    more?: { thread?: MessageRef | string; broadcast?: boolean },
  ): Promise<MessageRef>;
  /** Posts a message that begins with a mention of the (first) app. */
  mentions(channel: string, text: string, more?: { thread?: MessageRef | string; app?: string }): Promise<MessageRef>;
  edits(message: MessageRef, text: string): Promise<void>;
  deletes(message: MessageRef): Promise<void>;
  reacts(message: MessageRef, name: string): Promise<void>;
  clicks(message: MessageRef, actionId: string): Promise<Reply>;
  types(message: MessageRef, actionId: string, query: string): Promise<Option[]>;
  picks(message: MessageRef, actionId: string, option: Option | string): Promise<Reply>;
  /** Loads the client again: ephemeral messages are gone. */
  reloads(): Promise<void>;
  /** Submits an open modal. */
  submits(view: string, values: Record<string, Record<string, unknown>>): Promise<Reply>;
  command(channel: string, command: string, text?: string): Promise<Reply>;
  shortcut(message: MessageRef, callbackId: string): Promise<Reply>;
}

/** Binds the actions to a person, by name or id. */
export function createPerson(people: People, name: string): Person {
  const as = name;
  return {
    name,
    posts: (channel, text, more = {}) => people.posts({ as, channel, text, ...more }),
    mentions: (channel, text, more = {}) => people.mentions({ as, channel, text, ...more }),
    edits: (message, text) => people.edits({ as, message, text }),
    deletes: (message) => people.deletes({ as, message }),
    reacts: (message, reaction) => people.reacts({ as, message, name: reaction }),
    clicks: (message, actionId) => people.clicks({ as, message, actionId }),
    types: (message, actionId, query) => people.types({ as, message, actionId, query }),
    picks: (message, actionId, option) => people.picks({ as, message, actionId, option }),
    reloads: () => people.reloads({ as }),
    submits: (view, values) => people.submits({ as, view, values }),
    command: (channel, command, text = "") => people.command({ as, channel, command, text }),
    shortcut: (message, callbackId) => people.shortcut({ as, message, callbackId }),
  };
}

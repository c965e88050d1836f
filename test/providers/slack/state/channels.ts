import type { App } from "./apps.ts";
import type { Team, User } from "./teams.ts";

/** A public or private channel, a direct message (`im`), or a group of direct messages (`mpim`). */
export type ChannelKind = "public" | "private" | "im" | "mpim";

/** A conversation in Slack's sense. */
export interface Channel {
  id: string;
  kind: ChannelKind;
  /** Empty for direct messages. */
  name: string;
  team: Team;
  /** Other workspaces that share this channel (Slack Connect). */
  sharedWith: Team[];
  creator: User;
  createdAt: number;
  archived: boolean;
  /** User ids, in the order of joining. */
  members: Set<string>;
  /** Oldest first, with ephemeral and deleted ones. */
  messages: Message[];
}

/** A message. */
export interface Message {
  ts: string;
  user: User;
  /** The app that posted it, if any. */
  app: App | null;
  /** The shown name of an incoming webhook (`bot_message`), which posts without an account. */
  webhook: string | null;
  text: string;
  blocks: Record<string, unknown>[] | null;
  metadata: MessageMetadata | null;
  /** The `ts` of the thread's first message, if this is a reply. */
  threadTs: string | null;
  /** The reply is also shown in the channel. */
  broadcast: boolean;
  clientMsgId: string | null;
  edited: { user: string; ts: string } | null;
  deleted: boolean;
  /** Only this person sees it. */
  ephemeralFor: User | null;
  reactions: { name: string; users: string[] }[];
  unfurls: { links: boolean; media: boolean };
}

/** Data of an app on its message. */
export interface MessageMetadata {
  event_type: string;
  event_payload: Record<string, unknown>;
}

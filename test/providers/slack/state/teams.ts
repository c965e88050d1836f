/** An Enterprise Grid organisation. */
export interface Enterprise {
  id: string;
  name: string;
}

/** A workspace. */
export interface Team {
  id: string;
  name: string;
  domain: string;
  enterprise: Enterprise | null;
}

/** The kind of a person's account. `guest`: in several channels (`is_restricted`). `channelGuest`: in one channel (`is_ultra_restricted`). */
export type UserKind = "member" | "guest" | "channelGuest" | "bot";

/** An account of a workspace: a person or a bot. */
export interface User {
  id: string;
  team: Team;
  name: string;
  realName: string;
  email: string;
  kind: UserKind;
  admin: boolean;
  deleted: boolean;
  /** The bot's id (`B…`) and app, if this is a bot. */
  bot: { id: string; appId: string } | null;
  updatedAt: number;
}

/** A group of people who can be mentioned together. */
export interface UserGroup {
  id: string;
  team: Team;
  handle: string;
  members: Set<string>;
  disabled: boolean;
}

import type { Team, User } from "./teams.ts";

/** An app as its manifest describes it. */
export interface App {
  id: string;
  name: string;
  clientId: string;
  clientSecret: string;
  signingSecret: string;
  /** The old shared secret in each payload (`token`). Receivers must ignore it. */
  verificationToken: string;
  /** The app-level token for Socket Mode (`xapp-…`). */
  appToken: string;
  /** Deliver over WebSockets instead of HTTP. */
  socketMode: boolean;
  /** Request URL of events; empty if there is none. */
  eventsUrl: string;
  /** Request URL of interactions. */
  interactivityUrl: string;
  /** Options load URL of menus; empty if there is none. */
  optionsUrl: string;
  /** Request URLs of slash commands, by command (`/bellhop`). */
  commands: Map<string, string>;
  /** Subscribed bot events, for example `app_mention` and `message.channels`. */
  events: Set<string>;
  /** Scopes of a new installation, by default. */
  scopes: string[];
  redirectUrls: string[];
  /** Tokens expire after 12 hours, and come with a refresh token. */
  tokenRotation: boolean;
}

/** An app in a workspace. */
export interface Installation {
  app: App;
  /** The workspace; for a whole organisation, the one from which it was installed. */
  team: Team;
  /** Installed for all workspaces of the team's organisation. */
  organisationWide: boolean;
  /** The bot's account. */
  bot: User;
  /** The bot token (`xoxb-…`). */
  token: string;
  /** With token rotation: when `token` expires, and the token that refreshes it, once. */
  expiresAtMs: number | undefined;
  refreshToken: string | undefined;
  scopes: Set<string>;
  installedBy: User;
  /** The token does not work any more; the app may still be in the workspace. */
  revoked: boolean;
  /** The app is no longer in the workspace. */
  removed: boolean;
}

/** A code that the install page gave, to exchange for a token once and within 10 minutes. */
export interface InstallCode {
  code: string;
  app: App;
  team: Team;
  organisationWide: boolean;
  by: User;
  scopes: string[];
  redirectUri: string;
  expiresAtMs: number;
}

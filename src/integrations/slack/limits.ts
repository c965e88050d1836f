/**
 * Rates, retries and time-outs of Slack's Web API. Source: Slack, "Web API rate limits": a method belongs to a tier, which permits so many calls a
 * minute and workspace, with short bursts; `chat.postMessage` permits one message a second and channel.
 */
export interface Limit {
  /** The pace of calls; after a time without calls, `burst` calls are sent at once. */
  everyMs: number;
  burst: number;
  /** The limit holds for one channel, or for the whole workspace. */
  per: "channel" | "workspace";
  /** Time-out of one call, with the wait for its turn left out. */
  timeoutMs: number;
}

const [readMs, writeMs] = [10_000, 15_000];
const tier1 = { everyMs: 60_000, burst: 5, per: "workspace" } as const;
const tier2 = { everyMs: 3_000, burst: 5, per: "workspace" } as const;
const tier3 = { everyMs: 1_200, burst: 10, per: "workspace" } as const;
const tier4 = { everyMs: 600, burst: 20, per: "workspace" } as const;

/** The methods that Bellhop calls. */
export const limits = {
  "apps.connections.open": { ...tier1, timeoutMs: readMs },
  "auth.test": { ...tier4, timeoutMs: readMs },
  "auth.revoke": { ...tier3, timeoutMs: writeMs },
  "oauth.v2.access": { ...tier4, timeoutMs: writeMs },
  "users.info": { ...tier4, timeoutMs: readMs },
  "usergroups.users.list": { ...tier2, timeoutMs: readMs },
  "conversations.info": { ...tier3, timeoutMs: readMs },
  "conversations.history": { ...tier3, timeoutMs: readMs },
  "conversations.replies": { ...tier3, timeoutMs: readMs },
  "reactions.add": { ...tier3, timeoutMs: writeMs },
  "chat.update": { ...tier3, timeoutMs: writeMs },
  "chat.postEphemeral": { ...tier4, timeoutMs: writeMs },
  "conversations.open": { ...tier3, timeoutMs: writeMs },
  "chat.postMessage": { everyMs: 1_000, burst: 1, per: "channel", timeoutMs: writeMs },
} as const satisfies Record<string, Limit>;

export type Method = keyof typeof limits;

/** The client does not retry: a repeated `chat.postMessage` would post a second message. The controllers retry, with back-off. */
export const retries = 0;

/** The pause after a rate limit for which Slack names no time. */
export const unnamedPauseMs = 30_000;

/** How long the answers that many tasks need are cached: the bot's account, and the members of a user group. */
export const cacheMs = { identity: 3_600_000, userGroup: 60_000 };

/**
 * Windows of time in which a long thread is read from its newest end, one call each: the most calls, the wanted messages of a window, by how much
 * a window grows or shrinks at most, and its least length in seconds.
 */
export const windows = { most: 40, aim: 120, grow: 8, leastS: 0.001 };

/** The most pages of messages that one search or one reading takes, and the messages on a page. */
export const pages = { most: 20, size: 200 };

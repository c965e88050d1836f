import type { GitHubClient } from "./client.ts";
import { createMemo } from "./api/memo.ts";

const identityTtlMs = 3_600_000;

/** Bellhop's account at GitHub: `id` and `login` of the account that posts for us; `mention` is the name that people type after `@`. */
export interface Bot {
  id: string;
  login: string;
  mention: string;
}

/** Looks up our own account at GitHub and caches it for an hour. */
export type WhoAmI = (signal: AbortSignal) => Promise<Bot>;

/** The account of an App is `<slug>[bot]`, and its id is not the App's id. The account of a token is the token's user. */
export function whoAmI(client: GitHubClient): WhoAmI {
  const memo = createMemo<Bot>(client.settings.clock, identityTtlMs);
  return (signal) => memo("bot", () => (client.app ? appBot(client, signal) : tokenUser(client, signal)));
}

async function appBot(client: GitHubClient, signal: AbortSignal): Promise<Bot> {
  const { data: app } = await client.self.request("read the App", "GET /app", {}, signal);
  const slug = app?.slug ?? "";
  const anyone = await client.forAnyone(signal);
  const { data: user } = await anyone.request(
    `look up the account ${slug}[bot]`,
    "GET /users/{username}",
    { username: `${slug}[bot]` },
    signal,
  );
  return { id: String(user.id), login: user.login, mention: slug };
}

async function tokenUser(client: GitHubClient, signal: AbortSignal): Promise<Bot> {
  const { data: user } = await client.self.request("read the token's user", "GET /user", {}, signal);
  return { id: String(user.id), login: user.login, mention: user.login };
}

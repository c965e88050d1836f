import type { GitHubClient } from "./client.ts";
import { createMemo } from "./api/memo.ts";

const identityTtlMs = 3_600_000;

/** Who we are at GitHub: `id` and `login` of the account that writes for us, `mention` is what people type after `@`. */
export interface Bot {
  id: string;
  login: string;
  mention: string;
}

/** Asks GitHub who we are; the answer is kept for an hour. */
export type WhoAmI = (signal: AbortSignal) => Promise<Bot>;

/** For an App the account is `<slug>[bot]`, whose id is not the App's; for a token it is the token's user. */
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

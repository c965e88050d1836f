import { Octokit } from "@octokit/core";
import { createMemo } from "../../shared/memo.ts";
import { apiOf, octokitOptions, type Api, type ApiSettings } from "./api.ts";
import type { CodeHost, RepositoryRef } from "../code-host.ts";
import { broadTokenMs, cacheMs } from "./limits.ts";

/** The fields that we use of an installation of the App. */
export interface Installation {
  id: number;
  account: string;
  suspended: boolean;
  permissions: Record<string, string>;
  events: string[];
}

/** One sign-in at one GitHub server. Cached by the hash of its credentials and shared by all integrations that use them. */
export interface GitHubClient {
  settings: ApiSettings;
  /** API as the App itself (with its JWT), or as the user of the token. */
  self: Api;
  /** API for one repository. With an App, its token reaches only that repository (by id). */
  forRepository(repository: RepositoryRef, signal: AbortSignal): Promise<Api>;
  /** API for all repositories of an organisation or user that the credentials reach. */
  forOwner(owner: string, signal: AbortSignal): Promise<Api>;
  /** API for calls that need no repository. With an App, it uses any installation that is not suspended. */
  forAnyone(signal: AbortSignal): Promise<Api>;
  mintToken: CodeHost["mintToken"];
  revokeToken: CodeHost["revokeToken"];
  /** The App of this sign-in and the calls that only an App can make; undefined for tokens. */
  app?: { id: number; installations(signal: AbortSignal): Promise<Installation[]> };
}

/** Signs in with a personal access token. */
export function tokenClient(settings: ApiSettings, token: string): GitHubClient {
  const self = apiOf(new Octokit({ ...octokitOptions(settings), auth: token }), settings, "token");
  return {
    settings,
    self,
    forRepository: () => Promise.resolve(self),
    forOwner: () => Promise.resolve(self),
    forAnyone: () => Promise.resolve(self),
    mintToken: () =>
      Promise.resolve({
        username: "x-access-token",
        password: token,
        expiresAt: new Date(settings.clock.now().getTime() + broadTokenMs).toISOString(),
      }),
    // All tasks share the personal access token, and only its owner revokes it.
    revokeToken: () => Promise.resolve(),
  };
}

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
  const memo = createMemo<Bot>(client.settings.clock, cacheMs.identity);
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

import { ThrottledOctokit, apiOf, octokitOptions, type Api, type ApiSettings } from "./api.ts";
import type { CodeHost, RepositoryRef } from "../connection.ts";

/** An installation of the App, as far as we use it. */
export interface Installation {
  id: number;
  account: string;
  suspended: boolean;
  permissions: Record<string, string>;
  events: string[];
}

/** One sign-in at one GitHub. Cached by the hash of its credentials, shared by every integration that uses them. */
export interface GitHubClient {
  settings: ApiSettings;
  /** As the App itself (its JWT), or as the token's user. */
  self: Api;
  /** For one repository: with an App, a token that reaches that repository (by id) and no other. */
  forRepository(repository: RepositoryRef, signal: AbortSignal): Promise<Api>;
  /** For what needs no repository: with an App, any installation that is not suspended. */
  forAnyone(signal: AbortSignal): Promise<Api>;
  mintToken: CodeHost["mintToken"];
  revokeToken: CodeHost["revokeToken"];
  /** The App behind it, with what only an App can be asked; undefined for tokens. */
  app?: { id: number; installations(signal: AbortSignal): Promise<Installation[]> };
}

/** How long a git credential from a personal access token is used before it is asked for again. */
const broadTokenMs = 3_600_000;

/** Signs in with a personal access token. */
export function tokenClient(settings: ApiSettings, token: string): GitHubClient {
  const self = apiOf(new ThrottledOctokit({ ...octokitOptions(settings), auth: token }), settings, "token");
  return {
    settings,
    self,
    forRepository: () => Promise.resolve(self),
    forAnyone: () => Promise.resolve(self),
    mintToken: () =>
      Promise.resolve({
        username: "x-access-token",
        password: token,
        expiresAt: new Date(settings.clock.now().getTime() + broadTokenMs).toISOString(),
      }),
    // A personal access token is the person's to revoke: it serves every task.
    revokeToken: () => Promise.resolve(),
  };
}

import { App } from "@octokit/app";
import { Octokit } from "@octokit/core";
import { sleep } from "../../shared/clock.ts";
import { secretRegistry } from "../../shared/redact.ts";
import type { GitCredential, RepositoryRef } from "../code-host.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import { apiOf, withProviderErrors, octokitOptions, type Api, type ApiSettings } from "./api.ts";
import type { GitHubClient, Installation } from "./client.ts";
import { createMemo } from "../../shared/memo.ts";
import { cacheMs, pages, retries } from "./limits.ts";

interface Token {
  token: string;
  createdAt: string;
}

/** Signs in as a GitHub App. Throws if the private key is invalid. */
export function appClient(settings: ApiSettings, appId: number, privateKey: string): GitHubClient {
  const app = new App({ appId, privateKey, Octokit: Octokit.defaults(octokitOptions(settings)) });
  const self = apiOf(app.octokit, settings, "app");
  const installationOf = createMemo<number>(settings.clock, cacheMs.installation);
  const inside: Inside = { settings, app, self };

  const find = (repository: RepositoryRef, signal: AbortSignal): Promise<number> =>
    installationOf(`${repository.owner}/${repository.name}`, () => findInstallation(self, repository, signal));

  return {
    settings,
    self,
    forRepository: async (repository, signal) => {
      const installationId = await find(repository, signal);
      return installationApi(inside, { installationId, repositoryIds: [Number(repository.id)] });
    },
    forOwner: async (owner, signal) => {
      const all = await listInstallations(self, signal);
      const found = all.find(({ account }) => account.toLowerCase() === owner.toLowerCase());
      if (found) return installationApi(inside, { installationId: found.id });
      throw new ProviderError("NotFound", `the App is not installed on ${owner}: install it there`);
    },
    forAnyone: async (signal) => {
      const [first] = (await listInstallations(self, signal)).filter(({ suspended }) => !suspended);
      if (first) return installationApi(inside, { installationId: first.id });
      return apiOf(new Octokit(octokitOptions(settings)), settings, "nobody");
    },
    mintToken: async (repository, access, signal) =>
      mint(self, await find(repository, signal), repository, {
        access,
        signal,
      }),
    revokeToken: (token, signal) => revoke(settings, token, signal),
    app: { id: appId, installations: (signal) => listInstallations(self, signal) },
  };
}

interface Inside {
  settings: ApiSettings;
  app: App;
  self: Api;
}

async function findInstallation(self: Api, { owner, name }: RepositoryRef, signal: AbortSignal): Promise<number> {
  const doing = `find the App's installation for ${owner}/${name}`;
  const { data } = await self.request(doing, "GET /repos/{owner}/{repo}/installation", { owner, repo: name }, signal);
  if (data.suspended_at) {
    throw new ProviderError(
      "Suspended",
      `the App's installation on ${owner} has been suspended since ${data.suspended_at}: an owner un-suspends it under Settings, GitHub Apps`,
    );
  }
  return data.id;
}

async function listInstallations(self: Api, signal: AbortSignal): Promise<Installation[]> {
  const found: Installation[] = [];
  for (let page = 1; page <= pages.installations; page++) {
    const { data } = await self.request(
      "list the App's installations",
      "GET /app/installations",
      { per_page: pages.size, page },
      signal,
    );
    found.push(
      ...data.map((installation) => ({
        id: installation.id,
        account: accountName(installation.account),
        suspended: Boolean(installation.suspended_at),
        permissions: installation.permissions as Record<string, string>,
        events: installation.events,
      })),
    );
    if (data.length < pages.size) break;
  }
  return found;
}

function accountName(account: unknown): string {
  if (typeof account !== "object" || account === null) return "";
  if ("login" in account) return String(account.login);
  return "slug" in account ? String(account.slug) : "";
}

/**
 * An API with a token for this installation (and these repositories). The token is minted and renewed automatically. If GitHub refuses
 * the token, the request is retried once.
 */
function installationApi(inside: Inside, scope: { installationId: number; repositoryIds?: number[] }): Api {
  const { settings, app } = inside;
  const octokit = new Octokit(octokitOptions(settings));
  const token = async (refresh: boolean): Promise<Token> => {
    const minted = (await app.octokit.auth({ type: "installation", ...scope, refresh })) as Token;
    secretRegistry.add(minted.token);
    return minted;
  };

  octokit.hook.wrap("request", async (request, options) => {
    const send = async (given: Token): Promise<Awaited<ReturnType<typeof request>>> => {
      options.headers.authorization = `token ${given.token}`;
      return request(options);
    };
    const first = await token(false);
    try {
      return await send(first);
    } catch (error) {
      // A request that got a 401 changed nothing, so even a create may be sent again.
      if (!isUnauthorized(error)) throw error;
      const ageMs = settings.clock.now().getTime() - Date.parse(first.createdAt);
      if (ageMs > retries.refusedToken.youngMs) return send(await token(true));
      await sleep(
        settings.clock,
        retries.refusedToken.waitMs,
        (options.request as { signal?: AbortSignal } | undefined)?.signal,
      );
      return send(first);
    }
  });
  // Rate limits apply to the installation, not to each of its tokens.
  return apiOf(octokit, settings, `installation/${scope.installationId}`);
}

function isUnauthorized(thrown: unknown): boolean {
  return thrown instanceof Error && "status" in thrown && thrown.status === 401;
}

async function mint(
  self: Api,
  installationId: number,
  repository: RepositoryRef,
  { access, signal }: { access: "read" | "write"; signal: AbortSignal },
): Promise<GitCredential> {
  const { data } = await self.request(
    `mint a token to ${access} ${repository.owner}/${repository.name}`,
    "POST /app/installations/{installation_id}/access_tokens",
    {
      installation_id: installationId,
      repository_ids: [Number(repository.id)],
      permissions: { contents: access },
    },
    signal,
  );
  secretRegistry.add(data.token);
  return { username: "x-access-token", password: data.token, expiresAt: data.expires_at };
}

/** 401 counts as success: a token that GitHub no longer accepts does not need to be revoked. */
async function revoke(settings: ApiSettings, token: string, signal: AbortSignal): Promise<void> {
  const octokit = new Octokit({ ...octokitOptions(settings), auth: token });
  try {
    await withProviderErrors(settings, "revoke a task's token", signal, async () => {
      await settings.pace.turn({ urgency: "Progress" }, signal);
      return octokit.request("DELETE /installation/token", { request: { signal } });
    });
  } catch (error) {
    if (!isProviderFailure(error, "Unauthorized", "NotFound")) throw error;
  }
}

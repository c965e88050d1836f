import type { Endpoints } from "@octokit/types";
import type { DesiredHooks } from "../../connection.ts";
import { ProviderError, isProviderFailure } from "../../errors.ts";
import type { GitHubClient } from "../client.ts";
import { pages } from "../limits.ts";
import { defined } from "../../../shared/defined.ts";

/** A hook as GitHub shows it. */
export type Hook = Pick<
  Endpoints["GET /repos/{owner}/{repo}/hooks"]["response"]["data"][number],
  "id" | "active" | "events" | "config"
>;

/** The hooks of one organisation or repository. */
export interface HookStore {
  list(signal: AbortSignal): Promise<Hook[]>;
  create(settings: HookSettings, signal: AbortSignal): Promise<Hook>;
  update(id: number, settings: HookSettings, signal: AbortSignal): Promise<unknown>;
  remove(id: number, signal: AbortSignal): Promise<unknown>;
}

/** The settings of a hook. */
export interface HookSettings {
  config: ReturnType<typeof configOf>;
  events: string[];
  active: boolean;
}

/** The configuration of a hook, as GitHub takes it. */
export function configOf({ url, secret }: Pick<DesiredHooks, "url" | "secret">): {
  url: string;
  content_type: string;
  insecure_ssl: string;
  secret: string;
} {
  return { url, content_type: "json", insecure_ssl: "0", secret };
}

/** The hooks of a target: a repository (`owner/name`) or an organisation. */
export function storeOf(client: GitHubClient, target: string): HookStore {
  const [owner = "", repo] = target.split("/");
  return repo === undefined ? organisationHooks(client, owner) : repositoryHooks(client, owner, repo);
}

function repositoryHooks({ self }: GitHubClient, owner: string, repo: string): HookStore {
  const at = { owner, repo };
  const on = `${owner}/${repo}`;
  return {
    list: (signal) =>
      allPages((page) =>
        self.request(`list webhooks of ${on}`, "GET /repos/{owner}/{repo}/hooks", { ...at, ...page }, signal),
      ),
    create: async (settings, signal) =>
      (
        await self.request(
          `create a webhook on ${on}`,
          "POST /repos/{owner}/{repo}/hooks",
          { ...at, name: "web", ...settings },
          signal,
        )
      ).data,
    update: (id, settings, signal) =>
      self.request(
        `set the webhook of ${on}`,
        "PATCH /repos/{owner}/{repo}/hooks/{hook_id}",
        { ...at, hook_id: id, ...settings },
        signal,
      ),
    remove: (id, signal) =>
      self.request(
        `remove a webhook of ${on}`,
        "DELETE /repos/{owner}/{repo}/hooks/{hook_id}",
        { ...at, hook_id: id },
        signal,
      ),
  };
}

function organisationHooks({ self }: GitHubClient, org: string): HookStore {
  return {
    list: (signal) =>
      allPages((page) =>
        self.request(`list webhooks of ${org}`, "GET /orgs/{org}/hooks", { org, ...page }, signal),
      ).catch((error: unknown) => {
        throw isProviderFailure(error, "NotFound") ? noOrganisation(org, error) : error;
      }) as Promise<Hook[]>,
    create: async (settings, signal) =>
      (
        await self.request(
          `create a webhook on ${org}`,
          "POST /orgs/{org}/hooks",
          { org, name: "web", ...settings },
          signal,
        )
      ).data,
    update: (id, settings, signal) =>
      self.request(
        `set the webhook of ${org}`,
        "PATCH /orgs/{org}/hooks/{hook_id}",
        { org, hook_id: id, ...settings },
        signal,
      ),
    remove: (id, signal) =>
      self.request(`remove a webhook of ${org}`, "DELETE /orgs/{org}/hooks/{hook_id}", { org, hook_id: id }, signal),
  };
}

function noOrganisation(org: string, error: ProviderError): ProviderError {
  return new ProviderError(
    "NotFound",
    `${error.message} If ${org} is a user account, it cannot have a webhook: list its repositories in spec.repositories`,
    defined({ status: error.status }),
  );
}

async function allPages<T>(get: (page: { per_page: number; page: number }) => Promise<{ data: T[] }>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= pages.hooks; page++) {
    const { data } = await get({ per_page: pages.size, page });
    all.push(...data);
    if (data.length < pages.size) break;
  }
  return all;
}

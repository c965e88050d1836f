import type { GitHubIntegration } from "../../../api/github-integration.ts";
import type { CodeHost } from "../../code-host.ts";
import { isProviderFailure } from "../../errors.ts";
import type { EventRepository } from "../../event.ts";
import type { GitHubClient } from "../client.ts";
import { pages } from "../limits.ts";
import { coveredOwners, covers } from "../scope.ts";

/** Owner and name. A name of dots alone would lead to another path of the API. */
const fullNameForm = /^([\w.-]{1,100})\/(?!\.{1,2}$)([\w.-]{1,100})$/;

/** The repositories that an integration covers: by name, and a list of names. */
export function repositories(
  integration: GitHubIntegration,
  client: GitHubClient,
): Pick<CodeHost, "repositoryNamed" | "repositoryNames"> {
  const look: CodeHost["repositoryNamed"] = (name, signal) => read(integration, client, name, signal);
  return {
    repositoryNamed: look,
    async repositoryNames({ limit, publicOnly }, signal) {
      const named = integration.spec.repositories?.filter((name) => isCovered(integration, name));
      if (named && !publicOnly) return named.slice(0, limit);
      if (named && !client.app) return publicOf(named, limit, look, signal);
      const all = (await installed(integration, client, signal)).filter(({ full_name }) =>
        isCovered(integration, full_name),
      );
      const offered = publicOnly ? all.filter((one) => !one.private) : all;
      return offered.map(({ full_name }) => full_name).slice(0, limit);
    },
  };
}

/** The public ones of the first `limit` of these repositories. A personal access token has no list that says which are public. */
async function publicOf(
  named: readonly string[],
  limit: number,
  look: CodeHost["repositoryNamed"],
  signal: AbortSignal,
): Promise<string[]> {
  const names: string[] = [];
  for (const name of named.slice(0, limit)) {
    const found = await look(name, signal);
    if (found?.private === false) names.push(name);
  }
  return names;
}

/** Whether the spec covers this name. The repository with the name may still be another one. */
function isCovered(integration: GitHubIntegration, fullName: string): boolean {
  const [owner = "", name = ""] = fullName.split("/");
  return covers(integration, { repository: { id: "", host: "", owner, name, private: true } });
}

async function read(
  integration: GitHubIntegration,
  client: GitHubClient,
  fullName: string,
  signal: AbortSignal,
): Promise<EventRepository | undefined> {
  const { host } = client.settings;
  const [, owner, name] = fullNameForm.exec(fullName) ?? [];
  if (owner === undefined || name === undefined || !isCovered(integration, fullName)) return undefined;
  try {
    const api = await client.forOwner(owner, signal);
    const { data } = await api.request(`read ${fullName}`, "GET /repos/{owner}/{repo}", { owner, repo: name }, signal);
    const found = { id: String(data.id), host, owner: data.owner.login, name: data.name, private: data.private };
    // A renamed repository answers under its old name, and its new one may not be covered.
    return covers(integration, { repository: found }) ? found : undefined;
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}

interface Listed {
  full_name: string;
  private: boolean;
}

/** The repositories of the App's installations, by name. A personal access token has no such list that is limited to the organisation. */
async function installed(integration: GitHubIntegration, client: GitHubClient, signal: AbortSignal): Promise<Listed[]> {
  if (!client.app) return [];
  const found: Listed[] = [];
  for (const owner of coveredOwners(integration)) {
    const api = await apiFor(owner, integration, client, signal);
    if (!api) continue;
    for (let page = 1; page <= pages.repositories; page++) {
      const { data } = await api.request(
        `list the repositories of ${owner}`,
        "GET /installation/repositories",
        { per_page: pages.size, page },
        signal,
      );
      found.push(...data.repositories);
      if (data.repositories.length < pages.size) break;
    }
  }
  return found.toSorted((a, b) => (a.full_name < b.full_name ? -1 : 1));
}

/** The API of an owner. Undefined if the App is not installed there and the spec lists repositories: those of other owners still work. */
async function apiFor(
  owner: string,
  { spec }: GitHubIntegration,
  client: GitHubClient,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<GitHubClient["forOwner"]>> | undefined> {
  try {
    return await client.forOwner(owner, signal);
  } catch (error) {
    if (spec.repositories && isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}

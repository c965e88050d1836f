import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { RepositoryRef } from "../code-host.ts";
import type { Origin } from "../event.ts";

/** Host name of the integration's GitHub server. Never throws: for an invalid URL it returns its text, which is not a valid host. */
export function host({ spec }: GitHubIntegration): string {
  return URL.canParse(spec.url) ? new URL(spec.url).host : spec.url.replace(/^https:\/\//, "");
}

/**
 * Whether the integration covers a repository: by its id if the operator has read it, until then by its name, ignoring case. If both are set,
 * `repositories` narrows `organization`. With an App, only installations count that the operator has found with the App's own key.
 */
export function covers({ spec, status }: GitHubIntegration, { repository, installationId }: Origin): boolean {
  if (!repository) return false;
  if (spec.organization !== undefined && spec.organization.toLowerCase() !== repository.owner.toLowerCase())
    return false;
  if (spec.repositories && !isListed(spec.repositories, status, repository)) return false;
  if (installationId === undefined || !spec.credentials.app) return true;
  return status?.installations?.some(({ id }) => id === installationId) === true;
}

/** A repository without an id stands for its name. */
function isListed(names: readonly string[], status: GitHubIntegration["status"], repository: RepositoryRef): boolean {
  const fullName = `${repository.owner}/${repository.name}`.toLowerCase();
  return names.some((name) => {
    const known = repository.id === "" ? undefined : idOfListed(status, name);
    return known === undefined ? name.toLowerCase() === fullName : known === repository.id;
  });
}

/** The id of the repository that a name of the spec stands for; undefined until the operator has read it. */
export function idOfListed(status: GitHubIntegration["status"], name: string): string | undefined {
  return status?.repositories?.find((one) => one.name.toLowerCase() === name.toLowerCase())?.id;
}

/** Logins of the organisations and users whose repositories the integration covers, lower case. */
export function coveredOwners({ spec }: Pick<GitHubIntegration, "spec">): string[] {
  const owners = spec.organization
    ? [spec.organization]
    : (spec.repositories ?? []).map((repository) => repository.split("/")[0] ?? "");
  return [...new Set(owners.map((owner) => owner.toLowerCase()))].filter(Boolean).sort();
}

/** All integrations of one App share the App's hook. A hook of a token's user belongs to one integration. */
export function sharedHook(integration: GitHubIntegration): string | undefined {
  const { app } = integration.spec.credentials;
  return app && `${host(integration)}/apps/${app.appId}`;
}

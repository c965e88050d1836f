import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { Origin } from "../types.ts";

/** Host name of the integration's GitHub server. Never throws: for an invalid URL it returns its text, which is not a valid host. */
export function host({ spec }: GitHubIntegration): string {
  return URL.canParse(spec.url) ? new URL(spec.url).host : spec.url.replace(/^https:\/\//, "");
}

/**
 * Whether the integration covers a repository; names are compared ignoring case. If both are set, `repositories` narrows
 * `organization`. With an App, only installations count that the operator has found with the App's own key.
 */
export function covers({ spec, status }: GitHubIntegration, { repository, installationId }: Origin): boolean {
  if (!repository) return false;
  const [owner, name] = [repository.owner.toLowerCase(), repository.name.toLowerCase()];
  if (spec.organization !== undefined && spec.organization.toLowerCase() !== owner) return false;
  if (spec.repositories && !spec.repositories.some((one) => one.toLowerCase() === `${owner}/${name}`)) return false;
  if (installationId === undefined || !spec.credentials.app) return true;
  return status?.installations?.some(({ id }) => id === installationId) === true;
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

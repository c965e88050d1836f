import type { GitHubIntegration } from "../../api/kinds.ts";

/** Host name of the GitHub that an integration connects. Total: of an address that is none it is the text, which is no host of anybody's. */
export function host({ spec }: GitHubIntegration): string {
  return URL.canParse(spec.url) ? new URL(spec.url).host : spec.url.replace(/^https:\/\//, "");
}

/**
 * Whether a repository lies inside the spec, names compared without case. With both set, `repositories` narrows
 * `organization`. Of an App, deliveries are ours only for installations that the operator has found with the App's own key.
 */
export function covers(
  { spec, status }: GitHubIntegration,
  repository: { owner: string; name: string },
  installationId?: string,
): boolean {
  const [owner, name] = [repository.owner.toLowerCase(), repository.name.toLowerCase()];
  if (spec.organization !== undefined && spec.organization.toLowerCase() !== owner) return false;
  if (spec.repositories && !spec.repositories.some((one) => one.toLowerCase() === `${owner}/${name}`)) return false;
  if (installationId === undefined || !spec.credentials.app) return true;
  return status?.installations?.some(({ id }) => id === installationId) === true;
}

/** An App has one hook for all its integrations; hooks of a token's user belong to one integration each. */
export function sharedHook(integration: GitHubIntegration): string | undefined {
  const { app } = integration.spec.credentials;
  return app && `${host(integration)}/apps/${app.appId}`;
}

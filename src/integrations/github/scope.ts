import type { GitHubIntegration } from "../../api/kinds.ts";

/** Host name of the GitHub that an integration connects. */
export function host({ spec }: GitHubIntegration): string {
  return new URL(spec.url).host;
}

/**
 * Whether a repository lies inside the spec, names compared without case. With both set, `repositories` narrows
 * `organization`. Once the operator knows the App's installations, a delivery for another one is not ours.
 */
export function covers(
  { spec, status }: GitHubIntegration,
  repository: { owner: string; name: string },
  installationId?: string,
): boolean {
  const [owner, name] = [repository.owner.toLowerCase(), repository.name.toLowerCase()];
  if (spec.organization !== undefined && spec.organization.toLowerCase() !== owner) return false;
  if (spec.repositories && !spec.repositories.some((one) => one.toLowerCase() === `${owner}/${name}`)) return false;
  return knows(status?.installations ?? [], installationId);
}

/** An App has one hook for all its integrations; hooks of a token's user belong to one integration each. */
export function sharedHook(integration: GitHubIntegration): string | undefined {
  const { app } = integration.spec.credentials;
  return app && `${host(integration)}/apps/${app.appId}`;
}

function knows(installations: { id: string }[], installationId: string | undefined): boolean {
  if (installationId === undefined || installations.length === 0) return true;
  return installations.some(({ id }) => id === installationId);
}

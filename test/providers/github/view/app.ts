import type { App, Installation, Token } from "../state/accounts.ts";
import { stamp } from "../state/world.ts";
import type { World } from "../state/world.ts";
import { viewAccount, viewAccountOrNull } from "./account.ts";
import { viewRepository } from "./repository.ts";
import { api, nodeId, web } from "./urls.ts";

/** GitHub's schema `integration`, as `GET /app` answers. */
export function viewApp(world: World, app: App): Record<string, unknown> {
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId("Integration", app.id),
    client_id: app.clientId,
    owner: viewAccount(world, app.owner),
    name: app.name,
    description: null,
    external_url: web(world, `/apps/${app.slug}`),
    html_url: web(world, `/apps/${app.slug}`),
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.permissions,
    events: app.events,
    installations_count: world.data.installations.filter((installation) => installation.app === app).length,
  };
}

/** GitHub's schema `nullable-integration`: the App through which something was done. */
export function viewAppOrNull(world: World, app: App | null): Record<string, unknown> | null {
  return app && viewApp(world, app);
}

/** GitHub's schema `installation`. */
export function viewInstallation(world: World, installation: Installation): Record<string, unknown> {
  const org = installation.account.type === "Organization";
  return {
    id: installation.id,
    client_id: installation.app.clientId,
    account: viewAccount(world, installation.account),
    repository_selection: installation.selection,
    access_tokens_url: api(world, `/app/installations/${installation.id}/access_tokens`),
    repositories_url: api(world, "/installation/repositories"),
    html_url: web(
      world,
      `${org ? `/organizations/${installation.account.login}` : ""}/settings/installations/${installation.id}`,
    ),
    app_id: installation.app.id,
    app_slug: installation.app.slug,
    target_id: installation.account.id,
    target_type: installation.account.type,
    permissions: installation.permissions,
    events: installation.events,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: viewAccountOrNull(world, installation.suspendedBy),
    suspended_at: installation.suspendedAt,
  };
}

/** GitHub's schema `installation-token`: the only answer that contains a token. */
export function viewToken(world: World, token: Token): Record<string, unknown> {
  const ids = token.repositoryIds;
  const repositories = ids && world.data.repositories.filter((repo) => ids.has(repo.id));
  return {
    token: token.value,
    expires_at: stamp(new Date(token.expiresAtMs ?? 0)),
    permissions: token.permissions,
    repository_selection: ids ? "selected" : (token.installation?.selection ?? "all"),
    ...(repositories && { repositories: repositories.map((repo) => viewRepository(world, repo)) }),
  };
}

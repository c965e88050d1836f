import { mintInstallationToken } from "../auth.ts";
import type { App, Installation, Level, Permissions } from "../state/accounts.ts";
import { covers, findAccount, installationFor } from "../state/find.ts";
import { timestamp } from "../state/world.ts";
import { viewApp, viewInstallation, viewToken } from "../view/app.ts";
import { viewRepository } from "../view/repository.ts";
import { permissionsOf } from "./access.ts";
import { stringList } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { created, noContent, ok, on, onRepo } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";

/** The App, its installations and their tokens. */
export const appRoutes: Route[] = [
  on("GET /app", "app", (call) => ok(viewApp(call.world, appOf(call)))),
  on("GET /app/installations", "app", listInstallations),
  on("GET /app/installations/{installation_id}", "app", (call) =>
    ok(viewInstallation(call.world, installationOf(call))),
  ),
  on("POST /app/installations/{installation_id}/access_tokens", "app", createToken),
  on("DELETE /app/installations/{installation_id}/suspended", "app", (call) => setSuspended(call, null)),
  on("PUT /app/installations/{installation_id}/suspended", "app", (call) => setSuspended(call, timestamp(call.world))),
  on("GET /repos/{owner}/{repo}/installation", "app", repositoryInstallation),
  on("GET /orgs/{org}/installation", "app", (call) => accountInstallation(call, call.params["org"])),
  on("GET /users/{username}/installation", "app", (call) => accountInstallation(call, call.params["username"])),
  on("GET /installation/repositories", "installation", listRepositories),
  on("DELETE /installation/token", "installation", revokeToken),
  onRepo("GET /repositories/{repository_id}", "read:metadata", (call) => ok(viewRepository(call.world, call.repo))),
];

/** The App of the call's JWT. */
export function appOf(call: Call): App {
  if (call.identity.kind === "app") return call.identity.app;
  throw new HttpFailure(401, "A JSON web token could not be decoded");
}

function installationOf(call: Call): Installation {
  const id = Number(call.params["installation_id"]);
  const app = appOf(call);
  const found = call.world.data.installations.find(
    (installation) => installation.id === id && installation.app === app,
  );
  if (!found) throw notFound();
  return found;
}

function listInstallations(call: Call): Answer {
  const app = appOf(call);
  const mine = call.world.data.installations.filter((installation) => installation.app === app);
  return pageOf(call, mine, (items) => items.map((item) => viewInstallation(call.world, item)));
}

function setSuspended(call: Call, at: string | null): Answer {
  const installation = installationOf(call);
  installation.suspendedAt = at;
  installation.suspendedBy = at === null ? null : installation.app.owner;
  return noContent;
}

function repositoryInstallation(call: Call): Answer {
  const app = appOf(call);
  const repo = call.world.data.repositories.find(
    (candidate) =>
      candidate.owner.login.toLowerCase() === call.params["owner"]?.toLowerCase() &&
      candidate.name.toLowerCase() === call.params["repo"]?.toLowerCase(),
  );
  const installation = repo && installationFor(call.world, app, repo);
  if (!installation) throw notFound();
  return ok(viewInstallation(call.world, installation));
}

function accountInstallation(call: Call, login: string | undefined): Answer {
  const app = appOf(call);
  const account = findAccount(call.world, login ?? "");
  const found = call.world.data.installations.find((item) => item.app === app && item.account === account);
  if (!found) throw notFound();
  return ok(viewInstallation(call.world, found));
}

function createToken(call: Call): Answer {
  const installation = installationOf(call);
  if (installation.suspendedAt !== null) throw new HttpFailure(403, "This installation has been suspended");
  const permissions = grantedPermissions(installation, call.body["permissions"]);
  const repositoryIds = grantedRepositories(call, installation);
  return created(
    viewToken(call.world, mintInstallationToken(call.world, installation, { permissions, repositoryIds })),
  );
}

function grantedPermissions(installation: Installation, asked: unknown): Permissions {
  if (typeof asked !== "object" || asked === null) return installation.permissions;
  const order = ["read", "write", "admin"];
  for (const [name, level] of Object.entries(asked)) {
    const granted = installation.permissions[name];
    if (granted === undefined || order.indexOf(String(level)) > order.indexOf(granted)) {
      throw new HttpFailure(422, "The permissions requested are not granted to this installation.");
    }
  }
  return { metadata: "read", ...(asked as Record<string, Level>) };
}

function grantedRepositories(call: Call, installation: Installation): Set<number> | null {
  const names = stringList(call.body["repositories"]);
  const ids = call.body["repository_ids"];
  if (!names && !Array.isArray(ids)) return null;
  const reachable = call.world.data.repositories.filter((repo) => covers(installation, repo));
  const chosen = [
    ...(names ?? []).map((name) => reachable.find((repo) => repo.name.toLowerCase() === name.toLowerCase())),
    ...(Array.isArray(ids) ? ids : []).map((id) => reachable.find((repo) => repo.id === id)),
  ];
  return new Set(
    chosen.map((repo) => {
      if (repo) return repo.id;
      const words =
        "There is at least one repository that does not exist or is not accessible to the parent installation.";
      throw new HttpFailure(422, words);
    }),
  );
}

function listRepositories(call: Call): Answer {
  if (call.identity.kind !== "installation") throw notFound();
  const { installation, token } = call.identity;
  const repos = call.world.data.repositories.filter(
    (repo) => covers(installation, repo) && (token.repositoryIds === null || token.repositoryIds.has(repo.id)),
  );
  return pageOf(call, repos, (items) => ({
    total_count: repos.length,
    repository_selection: token.repositoryIds ? "selected" : installation.selection,
    repositories: items.map((repo) => ({
      ...viewRepository(call.world, repo),
      permissions: permissionsOf(call.identity, repo),
    })),
  }));
}

function revokeToken(call: Call): Answer {
  if (call.identity.kind === "installation") call.identity.token.revoked = true;
  return noContent;
}

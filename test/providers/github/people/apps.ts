import { generateKeyPairSync } from "node:crypto";
import { mintInstallationToken, mintUserToken } from "../auth.ts";
import type { App, Installation, Permissions } from "../state/accounts.ts";
import { covers, findAccount, must } from "../state/find.ts";
import type { Repository } from "../state/repositories.ts";
import { newId, timestamp } from "../state/world.ts";
import type { World } from "../state/world.ts";
import { viewInstallation } from "../view/app.ts";
import { viewRepositoryName } from "../view/repository.ts";
import { newAccount } from "./new-account.ts";
import { repository } from "./resolve.ts";

/** The settings with which an owner registers a GitHub App. */
export interface NewApp {
  slug: string;
  owner: string;
  permissions?: Permissions;
  events?: string[];
  /** The URL of its hook; empty for none yet. */
  webhookUrl?: string;
  webhookSecret?: string;
}

const usualPermissions: Permissions = {
  actions: "read",
  checks: "write",
  contents: "write",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
};
const usualEvents = [
  "check_suite",
  "issue_comment",
  "issues",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "workflow_run",
];

/** Registers an App; the result contains its private key (PEM). */
export function createApp(world: World, given: NewApp): App {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const now = timestamp(world);
  const id = newId(world);
  const app: App = {
    id,
    slug: given.slug,
    name: given.slug,
    clientId: `Iv23li${id.toString(36)}`,
    owner: must(findAccount(world, given.owner), `account ${given.owner}`),
    bot: newAccount(world, `${given.slug}[bot]`, "Bot"),
    permissions: given.permissions ?? usualPermissions,
    events: given.events ?? usualEvents,
    ...pair,
    createdAt: now,
  };
  world.data.apps.push(app);
  world.data.hooks.push({
    id: newId(world),
    target: "integration",
    targetId: id,
    config: {
      url: given.webhookUrl ?? "",
      content_type: "json",
      secret: given.webhookSecret ?? null,
      insecure_ssl: "0",
    },
    events: app.events,
    active: true,
    createdAt: now,
    updatedAt: now,
    lastResponse: { code: null, status: "unused", message: null },
  });
  return app;
}

/** Installs an App on an account: on all repositories, or on those named (by `name`, without owner). */
export function installApp(world: World, given: { app: string; on: string; repositories?: string[] }): Installation {
  const app = must(
    world.data.apps.find((candidate) => candidate.slug === given.app),
    `App ${given.app}`,
  );
  const account = must(findAccount(world, given.on), `account ${given.on}`);
  const chosen = given.repositories?.map((name) => repository(world, { repo: `${given.on}/${name}` }));
  const installation: Installation = {
    id: newId(world),
    app,
    account,
    permissions: { ...app.permissions },
    events: [...app.events],
    selection: chosen ? "selected" : "all",
    repositoryIds: new Set(chosen?.map((repo) => repo.id)),
    suspendedAt: null,
    suspendedBy: null,
    createdAt: timestamp(world),
  };
  world.data.installations.push(installation);
  emitInstallation(world, installation, "created");
  return installation;
}

/** Suspends an installation, or un-suspends it with `on: false`. */
export function suspendInstallation(world: World, given: { installation: number; on?: boolean }): void {
  const installation = installationOf(world, given.installation);
  const on = given.on !== false;
  installation.suspendedAt = on ? timestamp(world) : null;
  installation.suspendedBy = on ? installation.app.owner : null;
  emitInstallation(world, installation, on ? "suspend" : "unsuspend");
}

/** Uninstalls an App from an account; its tokens end. */
export function uninstallApp(world: World, given: { installation: number }): void {
  const installation = installationOf(world, given.installation);
  for (const token of world.data.tokens.values()) if (token.installation === installation) token.revoked = true;
  emitInstallation(world, installation, "deleted");
  world.data.installations = world.data.installations.filter((other) => other !== installation);
}

/** Changes the repositories of an installation (by name, without owner), and sends events for added and removed ones. */
export function selectRepositories(world: World, given: { installation: number; repositories: string[] }): void {
  const installation = installationOf(world, given.installation);
  const before = reached(world, installation);
  installation.selection = "selected";
  const { login } = installation.account;
  installation.repositoryIds = new Set(
    given.repositories.map((name) => repository(world, { repo: `${login}/${name}` }).id),
  );
  const after = reached(world, installation);
  const added = after.filter((repo) => !before.includes(repo));
  const removed = before.filter((repo) => !after.includes(repo));
  if (added.length > 0) emitSelection(world, installation, "added", added);
  if (removed.length > 0) emitSelection(world, installation, "removed", removed);
}

/** Creates a personal access token. */
export function createUserToken(world: World, given: { login: string }): string {
  return mintUserToken(world, must(findAccount(world, given.login), `account ${given.login}`)).value;
}

/** Creates an installation token without an HTTP request; for all repositories and permissions by default. */
export function createInstallationToken(
  world: World,
  given: { installation: number; permissions?: Permissions; repositories?: string[] },
): string {
  const installation = installationOf(world, given.installation);
  const ids = given.repositories?.map(
    (name) => repository(world, { repo: `${installation.account.login}/${name}` }).id,
  );
  const permissions = given.permissions ?? installation.permissions;
  return mintInstallationToken(world, installation, { permissions, repositoryIds: ids ? new Set(ids) : null }).value;
}

/** Revokes a token at once. */
export function revokeToken(world: World, given: { token: string }): void {
  must(world.data.tokens.get(given.token), "such token").revoked = true;
}

function installationOf(world: World, id: number): Installation {
  return must(
    world.data.installations.find((candidate) => candidate.id === id),
    `installation ${id}`,
  );
}

function reached(world: World, installation: Installation): Repository[] {
  return world.data.repositories.filter((repo) => covers(installation, repo));
}

function emitSelection(
  world: World,
  installation: Installation,
  action: "added" | "removed",
  repos: Repository[],
): void {
  world.emit({
    event: "installation_repositories",
    action,
    onlyApp: installation.app,
    installation,
    sender: installation.app.owner,
    payload: {
      installation: viewInstallation(world, installation),
      repository_selection: installation.selection,
      repositories_added: action === "added" ? repos.map(viewRepositoryName) : [],
      repositories_removed: action === "removed" ? repos.map(viewRepositoryName) : [],
      requester: null,
    },
  });
}

function emitInstallation(world: World, installation: Installation, action: string): void {
  const repositories = reached(world, installation).map(viewRepositoryName);
  world.emit({
    event: "installation",
    action,
    onlyApp: installation.app,
    installation,
    sender: installation.app.owner,
    payload: { installation: viewInstallation(world, installation), repositories },
  });
}

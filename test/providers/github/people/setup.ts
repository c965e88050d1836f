import { generateKeyPairSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { mintInstallationToken, mintUserToken } from "../auth.ts";
import { commitFiles } from "../git/commit.ts";
import { initRepository } from "../git/repository.ts";
import { git } from "../git/run.ts";
import { ensureLabel } from "../actions/labels.ts";
import type { Account, App, Installation, Permissions, Role } from "../state/accounts.ts";
import { covers, findAccount, must } from "../state/find.ts";
import type { Repository } from "../state/repositories.ts";
import { newId, timestamp } from "../state/world.ts";
import type { World } from "../state/world.ts";
import { viewInstallation } from "../view/app.ts";
import { viewRepositoryName } from "../view/repository.ts";
import { repository } from "./resolve.ts";

/** Makes a person. */
export function createUser(world: World, given: { login: string; name?: string }): Account {
  return newAccount(world, given.login, "User", given.name);
}

/** Makes an organisation; `members` by login. `basePermission` is what membership gives on every repository (`read`). */
export function createOrg(
  world: World,
  given: { login: string; members?: Record<string, "admin" | "member">; basePermission?: Role },
): Account {
  const org = newAccount(world, given.login, "Organization");
  org.basePermission = given.basePermission ?? "read";
  for (const [login, role] of Object.entries(given.members ?? {})) {
    org.members.set(must(findAccount(world, login), `account ${login}`).id, role);
  }
  return org;
}

/** What a repository starts with. */
export interface NewRepository {
  /** `owner/name`. */
  repo: string;
  /** True unless said otherwise. */
  private?: boolean;
  description?: string;
  defaultBranch?: string;
  /** Of the first commit; none leaves the repository empty. */
  files?: Record<string, string>;
  labels?: string[];
  protectedBranches?: string[];
}

/** Makes a repository with one commit of its files. */
export async function createRepo(world: World, given: NewRepository): Promise<Repository> {
  const repo = await newRepository(world, given, null);
  if (given.files) {
    await commitFiles(repo.dir, {
      branch: repo.defaultBranch,
      message: "Initial commit",
      files: given.files,
      author: repo.owner,
      at: world.clock.now(),
    });
  }
  for (const label of given.labels ?? ["bug", "enhancement", "question"]) ensureLabel(world, repo, label);
  return repo;
}

/** Forks a repository into an account: same branches, a repository of its own. */
export async function fork(world: World, given: { repo: string; into: string }): Promise<Repository> {
  const parent = repository(world, given);
  const name = `${given.into}/${parent.name}`;
  const repo = await newRepository(
    world,
    { repo: name, private: parent.private, defaultBranch: parent.defaultBranch },
    parent,
  );
  await git(repo.dir, ["fetch", "--quiet", parent.dir, "+refs/heads/*:refs/heads/*"]);
  return repo;
}

/** Deletes a repository: from now on there is nothing by its name or id. */
export async function deleteRepo(world: World, given: { repo: string }): Promise<void> {
  const repo = repository(world, given);
  const { data } = world;
  data.repositories = data.repositories.filter((other) => other !== repo);
  data.issues = data.issues.filter((issue) => issue.repo !== repo);
  for (const { pull } of data.issues) if (pull?.head.repo === repo) pull.head.repo = null;
  for (const other of data.repositories) if (other.parent === repo) other.parent = null;
  await rm(repo.dir, { recursive: true, force: true });
}

/** Makes a repository public or private. */
export function setVisibility(world: World, given: { repo: string; private: boolean }): void {
  repository(world, given).private = given.private;
}

/** Gives a person a role on a repository, or takes it (`none`). */
export function setPermission(world: World, given: { repo: string; login: string; role: Role }): void {
  const repo = repository(world, given);
  const { id } = must(findAccount(world, given.login), `account ${given.login}`);
  if (given.role === "none") repo.collaborators.delete(id);
  else repo.collaborators.set(id, given.role);
}

/** Protects a branch: nobody but administrators pushes to it. */
export function protectBranch(world: World, given: { repo: string; branch: string; on?: boolean }): void {
  const { protectedBranches } = repository(world, given);
  if (given.on === false) protectedBranches.delete(given.branch);
  else protectedBranches.add(given.branch);
}

/** A GitHub App as its owner registers it. */
export interface NewApp {
  slug: string;
  owner: string;
  permissions?: Permissions;
  events?: string[];
  /** Where its hook points; empty for nowhere yet. */
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

/** Registers an App; its private key (PEM) is in what comes back. */
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

/** Suspends an installation, or with `on: false` lets it go on. */
export function suspendInstallation(world: World, given: { installation: number; on?: boolean }): void {
  const installation = installationOf(world, given.installation);
  const on = given.on !== false;
  installation.suspendedAt = on ? timestamp(world) : null;
  installation.suspendedBy = on ? installation.app.owner : null;
  emitInstallation(world, installation, on ? "suspend" : "unsuspend");
}

/** Takes an App off an account; its tokens end. */
export function uninstallApp(world: World, given: { installation: number }): void {
  const installation = installationOf(world, given.installation);
  for (const token of world.data.tokens.values()) if (token.installation === installation) token.revoked = true;
  emitInstallation(world, installation, "deleted");
  world.data.installations = world.data.installations.filter((other) => other !== installation);
}

/** Changes which repositories an installation reaches (by name, without owner); tells what came and what went. */
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

/** A token of a person's own. */
export function createUserToken(world: World, given: { login: string }): string {
  return mintUserToken(world, must(findAccount(world, given.login), `account ${given.login}`)).value;
}

/** An installation token without asking over HTTP; all repositories and permissions unless said otherwise. */
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

/** Ends a token at once. */
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

async function newRepository(world: World, given: NewRepository, parent: Repository | null): Promise<Repository> {
  const [owner = "", name = ""] = given.repo.split("/");
  const now = timestamp(world);
  const id = newId(world);
  const repo: Repository = {
    id,
    owner: must(findAccount(world, owner), `account ${owner}`),
    name,
    private: given.private !== false,
    description: given.description ?? null,
    defaultBranch: given.defaultBranch ?? "main",
    archived: false,
    parent,
    dir: join(world.reposDir, `${id}.git`),
    collaborators: new Map(),
    labels: new Map(),
    protectedBranches: new Set(given.protectedBranches),
    nextNumber: 1,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
  };
  await initRepository(repo.dir, repo.defaultBranch);
  world.data.repositories.push(repo);
  return repo;
}

function newAccount(world: World, login: string, type: Account["type"], name?: string): Account {
  if (findAccount(world, login)) throw new Error(`GitHub stand-in: there is an account ${login} already.`);
  const id = newId(world);
  const account: Account = {
    id,
    login,
    type,
    name: name ?? login,
    email: `${id}+${login}@users.noreply.github.com`,
    createdAt: timestamp(world),
    members: new Map(),
    basePermission: "read",
  };
  world.data.accounts.push(account);
  return account;
}

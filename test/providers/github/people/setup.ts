import { rm } from "node:fs/promises";
import { join } from "node:path";
import { commitFiles } from "../git/commit.ts";
import { initRepository } from "../git/repository.ts";
import { git } from "../git/run.ts";
import { ensureLabel } from "../actions/labels.ts";
import type { Account, Role } from "../state/accounts.ts";
import { findAccount, must } from "../state/find.ts";
import { fullName, type Repository, type Ruleset } from "../state/repositories.ts";
import { newId, timestamp } from "../state/world.ts";
import type { World } from "../state/world.ts";
import { newAccount } from "./new-account.ts";
import { repository } from "./resolve.ts";

/** Creates a person. */
export function createUser(world: World, given: { login: string; name?: string }): Account {
  return newAccount(world, given.login, "User", given.name);
}

/** Creates an organisation; `members` by login. `basePermission` is the members' permission on every repository (default `read`). */
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

/** The initial state of a repository. */
export interface NewRepository {
  /** `owner/name`. */
  repo: string;
  /** True by default. */
  private?: boolean;
  description?: string;
  defaultBranch?: string;
  /** Files of the first commit; without files the repository stays empty. */
  files?: Record<string, string>;
  labels?: string[];
  protectedBranches?: string[];
}

/** Creates a repository with one commit of its files. */
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

/** Forks a repository into an account, with the same branches. */
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

/** Deletes a repository: its name and id are not found any more. */
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

/** Gives a person a role on a repository, or removes it (`none`). */
export function setPermission(world: World, given: { repo: string; login: string; role: Role }): void {
  const repo = repository(world, given);
  const { id } = must(findAccount(world, given.login), `account ${given.login}`);
  if (given.role === "none") repo.collaborators.delete(id);
  else repo.collaborators.set(id, given.role);
}

/** Protects a branch: only administrators may push to it. */
export function protectBranch(world: World, given: { repo: string; branch: string; on?: boolean }): void {
  const { protectedBranches } = repository(world, given);
  if (given.on === false) protectedBranches.delete(given.branch);
  else protectedBranches.add(given.branch);
}

/** Archives a repository: it can only be read. */
export function archiveRepo(world: World, given: { repo: string; archived?: boolean }): void {
  repository(world, given).archived = given.archived !== false;
}

/** Moves a repository to a plan with or without draft pull requests. */
export function allowDrafts(world: World, given: { repo: string; on: boolean }): void {
  repository(world, given).hasDrafts = given.on;
}

/** Adds a ruleset. `bypass`: the Apps that may bypass it. */
export function addRuleset(
  world: World,
  given: { repo: string } & Omit<Ruleset, "id" | "bypass"> & { bypass?: number[] },
): Ruleset {
  const { repo, bypass = [], ...rest } = given;
  const ruleset: Ruleset = { ...rest, bypass, id: newId(world) };
  repository(world, { repo }).rulesets.push(ruleset);
  return ruleset;
}

/** Makes push protection refuse pushes that contain a text. */
export function protectSecret(world: World, given: { repo: string; secret: string }): void {
  repository(world, given).secrets.push(given.secret);
}

/** Renames a repository: GitHub redirects requests for its former name. */
export function renameRepo(world: World, given: { repo: string; to: string }): void {
  const repo = repository(world, given);
  repo.formerNames.push(fullName(repo).toLowerCase());
  repo.name = given.to;
}

/** Renames a branch: GitHub redirects requests for its former name. */
export async function renameBranch(world: World, given: { repo: string; from: string; to: string }): Promise<void> {
  const repo = repository(world, given);
  await git(repo.dir, ["branch", "--move", given.from, given.to]);
  repo.renamedBranches.set(given.from, given.to);
  if (repo.defaultBranch === given.from) repo.defaultBranch = given.to;
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
    rulesets: [],
    secrets: [],
    hasDrafts: true,
    renamedBranches: new Map(),
    formerNames: [],
    nextNumber: 1,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
  };
  await initRepository(repo.dir, repo.defaultBranch);
  world.data.repositories.push(repo);
  return repo;
}

import type { Account, App, Installation } from "./accounts.ts";
import type { Comment, Issue, Pull } from "./issues.ts";
import { fullName } from "./repositories.ts";
import type { Repository } from "./repositories.ts";
import type { World } from "./world.ts";

/** The account with this login (any case). */
export function findAccount(world: World, login: string): Account | undefined {
  return world.data.accounts.find((account) => account.login.toLowerCase() === login.toLowerCase());
}

/** The repository with this `owner/name` (any case). */
export function findRepository(world: World, name: string): Repository | undefined {
  return world.data.repositories.find((repo) => fullName(repo).toLowerCase() === name.toLowerCase());
}

/** The issue or pull request of this number. */
export function findIssue(world: World, repo: Repository, number: number): Issue | undefined {
  return world.data.issues.find((issue) => issue.repo === repo && issue.number === number);
}

/** The pull request of this number. */
export function findPull(world: World, repo: Repository, number: number): Pull | undefined {
  return findIssue(world, repo, number)?.pull ?? undefined;
}

/** Comments of an issue, oldest first. */
export function commentsOf(world: World, issue: Issue): Comment[] {
  return world.data.comments.filter((comment) => comment.issue === issue);
}

/** All pull requests of a repository. */
export function pullsOf(world: World, repo: Repository): Pull[] {
  return world.data.issues.flatMap((issue) => (issue.repo === repo && issue.pull ? [issue.pull] : []));
}

/** The installation of an App that covers a repository, suspended ones included. */
export function installationFor(world: World, app: App, repo: Repository): Installation | undefined {
  return world.data.installations.find((installation) => installation.app === app && covers(installation, repo));
}

/** Whether an installation covers a repository. */
export function covers(installation: Installation, repo: Repository): boolean {
  if (installation.account !== repo.owner) return false;
  return installation.selection === "all" || installation.repositoryIds.has(repo.id);
}

/** Returns the result of a `find…`, or throws an error for the author of the test. */
export function must<T>(found: T | undefined | null, what: string): T {
  if (found === undefined || found === null) throw new Error(`GitHub stand-in: there is no ${what}.`);
  return found;
}

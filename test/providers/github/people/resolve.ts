import { findAccount, findIssue, findPull, findRepository, must } from "../state/find.ts";
import type { Issue, Pull } from "../state/issues.ts";
import type { Repository } from "../state/repositories.ts";
import type { Actor, World } from "../state/world.ts";

/** The person who acts. */
export interface By {
  /** Login. */
  as: string;
}

/** A repository, as `owner/name`. */
export interface OnRepository extends By {
  repo: string;
}

/** An issue or pull request. */
export interface OnIssue extends OnRepository {
  number: number;
}

/** The actor of this login. */
export function actor(world: World, { as }: By): Actor {
  const account = must(findAccount(world, as), `account ${as}`);
  return { account, app: world.data.apps.find((app) => app.bot === account) ?? null };
}

/** The named repository. */
export function repository(world: World, { repo }: { repo: string }): Repository {
  return must(findRepository(world, repo), `repository ${repo}`);
}

/** The named issue or pull request. */
export function issue(world: World, on: { repo: string; number: number }): Issue {
  return must(findIssue(world, repository(world, on), on.number), `issue ${on.repo}#${on.number}`);
}

/** The named pull request. */
export function pull(world: World, on: { repo: string; number: number }): Pull {
  return must(findPull(world, repository(world, on), on.number), `pull request ${on.repo}#${on.number}`);
}

import { isAncestor } from "../git/repository.ts";
import { logCommits, readCommit } from "../git/read.ts";
import type { Repository } from "../state/repositories.ts";
import { timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewPushCommit } from "../view/commit.ts";
import { repoWeb } from "../view/urls.ts";
import { startChecks } from "./checks.ts";
import { followPush } from "./pulls.ts";

/** The id that stands for "no commit". */
export const zeroId = "0".repeat(40);

/** A ref that a push moved; `before` or `after` is 40 zeros if the ref did not exist or was deleted. */
export interface MovedRef {
  ref: string;
  before: string;
  after: string;
}

/** The effects of a push at GitHub: sends `push`, updates pull requests, starts checks. */
export async function afterPush(world: World, actor: Actor, repo: Repository, moved: MovedRef): Promise<void> {
  repo.pushedAt = timestamp(world);
  repo.updatedAt = repo.pushedAt;
  await emitPush(world, actor, repo, moved);
  if (!moved.ref.startsWith("refs/heads/") || moved.after === zeroId) return;
  const branch = moved.ref.slice("refs/heads/".length);
  await followPush(world, actor, { repo, branch, before: moved.before, after: moved.after });
  const commit = await readCommit(repo.dir, moved.after);
  if (commit) startChecks(world, actor, repo, { branch, before: moved.before, commit });
}

async function emitPush(world: World, actor: Actor, repo: Repository, moved: MovedRef): Promise<void> {
  const created = moved.before === zeroId;
  const deleted = moved.after === zeroId;
  const range = created ? ["-20", moved.after] : ["-20", `${moved.before}..${moved.after}`];
  const commits = deleted ? [] : (await logCommits(repo.dir, range)).toReversed();
  const head = deleted ? undefined : await readCommit(repo.dir, moved.after);
  const payload = {
    ref: moved.ref,
    before: moved.before,
    after: moved.after,
    created,
    deleted,
    forced: !created && !deleted && !(await isAncestor(repo.dir, moved.before, moved.after)),
    base_ref: null,
    compare: repoWeb(world, repo, `/compare/${moved.before.slice(0, 12)}...${moved.after.slice(0, 12)}`),
    commits: await Promise.all(commits.map((commit) => viewPushCommit(world, repo, commit))),
    head_commit: head ? await viewPushCommit(world, repo, head) : null,
    pusher: { name: actor.account.login, email: actor.account.email },
  };
  world.emit({ event: "push", repo, sender: actor.account, payload });
}

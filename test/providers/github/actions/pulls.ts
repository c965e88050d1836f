import { branchTip, fetchInto, isAncestor, updateRef } from "../git/repository.ts";
import { changedFiles, distance, mergeTree } from "../git/read.ts";
import { git } from "../git/run.ts";
import type { Account } from "../state/accounts.ts";
import type { Pull, PullSide } from "../state/issues.ts";
import { newId, timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewAccount } from "../view/account.ts";
import { emitIssue, makeIssue } from "./issues.ts";

/** A pull request to open. Both branches must exist, and head must be ahead of base. */
export interface NewPull {
  title: string;
  body: string | null;
  head: PullSide & { repo: NonNullable<PullSide["repo"]> };
  base: Pull["base"];
  draft: boolean;
  maintainerCanModify: boolean;
}

/** Opens a pull request; its head becomes `refs/pull/<n>/head` of the base repository. */
export async function openPull(world: World, actor: Actor, given: NewPull): Promise<Pull> {
  const issue = makeIssue(world, actor, given.base.repo, given);
  const pull: Pull = {
    id: newId(world),
    issue,
    head: given.head,
    base: given.base,
    draft: given.draft,
    mergedAt: null,
    mergedBy: null,
    mergeCommitSha: null,
    maintainerCanModify: given.maintainerCanModify,
    requestedReviewers: [],
    stats: { commits: 0, additions: 0, deletions: 0, changedFiles: 0, mergeable: true },
  };
  issue.pull = pull;
  await refreshPull(pull);
  emitIssue(world, actor, issue, "opened");
  return pull;
}

/** Copies the git objects of the head and recomputes the numbers. */
export async function refreshPull(pull: Pull): Promise<void> {
  const { dir } = pull.base.repo;
  const ref = `refs/pull/${pull.issue.number}/head`;
  if (pull.head.repo && pull.head.repo !== pull.base.repo) await fetchInto(dir, pull.head.repo.dir, pull.head.sha, ref);
  else await updateRef(dir, ref, pull.head.sha);
  const files = await changedFiles(dir, pull.base.sha, pull.head.sha);
  pull.stats = {
    commits: (await distance(dir, pull.base.sha, pull.head.sha)).ahead,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changedFiles: files.length,
    mergeable: (await mergeTree(dir, pull.base.sha, pull.head.sha)) !== undefined,
  };
}

/** Moves a pull request to another base branch. */
export async function retarget(
  world: World,
  actor: Actor,
  pull: Pull,
  base: { ref: string; sha: string },
): Promise<void> {
  if (base.ref === pull.base.ref) return;
  const changes = { base: { ref: { from: pull.base.ref }, sha: { from: pull.base.sha } } };
  Object.assign(pull.base, base);
  pull.issue.updatedAt = timestamp(world);
  await refreshPull(pull);
  emitIssue(world, actor, pull.issue, "edited", { changes });
}

/** Marks a draft as ready for review, or a pull request as draft. */
export function setDraft(world: World, actor: Actor, pull: Pull, draft: boolean): void {
  if (pull.draft === draft) return;
  pull.draft = draft;
  emitIssue(world, actor, pull.issue, draft ? "converted_to_draft" : "ready_for_review");
}

/** Requests a review. */
export function requestReview(world: World, actor: Actor, pull: Pull, reviewer: Account): void {
  if (!pull.requestedReviewers.includes(reviewer)) pull.requestedReviewers.push(reviewer);
  emitIssue(world, actor, pull.issue, "review_requested", { requested_reviewer: viewAccount(world, reviewer) });
}

/** Merges with a merge commit and returns its id. Throws if head and base conflict. */
export async function mergePull(world: World, actor: Actor, pull: Pull): Promise<string> {
  const { dir } = pull.base.repo;
  const tip = (await branchTip(dir, pull.base.ref)) ?? pull.base.sha;
  const tree = await mergeTree(dir, tip, pull.head.sha);
  if (tree === undefined) throw new Error(`pull request ${pull.issue.number} conflicts with ${pull.base.ref}`);
  const message = `Merge pull request #${pull.issue.number} from ${pull.head.owner.login}/${pull.head.ref}\n\n${pull.issue.title}`;
  const who = ["-c", `user.name=${actor.account.name}`, "-c", `user.email=${actor.account.email}`];
  const sha = await git(dir, [...who, "commit-tree", tree, "-p", tip, "-p", pull.head.sha, "-m", message]);
  await updateRef(dir, `refs/heads/${pull.base.ref}`, sha);
  const now = timestamp(world);
  Object.assign(pull, { mergedAt: now, mergedBy: actor.account, mergeCommitSha: sha });
  Object.assign(pull.issue, { state: "closed", closedAt: now, closedBy: actor.account, updatedAt: now });
  emitIssue(world, actor, pull.issue, "closed");
  return sha;
}

/** Updates pull requests after a push: those from the branch get the new head (`synchronize`), those into it are recomputed. */
export async function followPush(
  world: World,
  actor: Actor,
  moved: { repo: NonNullable<PullSide["repo"]>; branch: string; before: string; after: string },
): Promise<void> {
  for (const { pull } of world.data.issues.filter((issue) => issue.state === "open" && issue.pull)) {
    if (!pull) continue;
    if (pull.head.repo === moved.repo && pull.head.ref === moved.branch) {
      pull.head.sha = moved.after;
      pull.issue.updatedAt = timestamp(world);
      await refreshPull(pull);
      emitIssue(world, actor, pull.issue, "synchronize", { before: moved.before, after: moved.after });
    } else if (pull.base.repo === moved.repo && pull.base.ref === moved.branch) {
      pull.base.sha = moved.after;
      await refreshPull(pull);
      if (await isAncestor(moved.repo.dir, pull.head.sha, moved.after)) markMerged(world, actor, pull, moved.after);
    }
  }
}

/** GitHub treats a push to the base that contains the head as a merge. */
function markMerged(world: World, actor: Actor, pull: Pull, sha: string): void {
  const now = timestamp(world);
  Object.assign(pull, { mergedAt: now, mergedBy: actor.account, mergeCommitSha: sha });
  Object.assign(pull.issue, { state: "closed", closedAt: now, closedBy: actor.account, updatedAt: now });
  emitIssue(world, actor, pull.issue, "closed");
}

import { completeChecks } from "../actions/checks.ts";
import { afterPush, zeroId } from "../actions/push.ts";
import * as pulls from "../actions/pulls.ts";
import * as reviews from "../actions/reviews.ts";
import type { NewReviewComment } from "../actions/reviews.ts";
import { commitFiles } from "../git/commit.ts";
import { branchTip, deleteRef } from "../git/repository.ts";
import type { CheckSuite, Conclusion } from "../state/checks.ts";
import { findAccount, must } from "../state/find.ts";
import type { Review } from "../state/issues.ts";
import type { World } from "../state/world.ts";
import { viewSuite } from "../view/check.ts";
import { viewPull, viewReview, viewReviewComment } from "../view/pull.ts";
import { viewRun } from "../view/run.ts";
import { headRepository } from "../rest/pull-create.ts";
import { actor, pull, repository } from "./resolve.ts";
import type { OnIssue, OnRepository } from "./resolve.ts";
import type { Identified, Numbered } from "./talk.ts";

/** Commits files to a branch, with the effects of a push, and returns the commit's id. Creates a missing branch from the default branch. */
export async function pushCommit(
  world: World,
  given: OnRepository & {
    branch: string;
    files: Record<string, string | null>;
    message?: string;
    /** The parent commit, to rewrite the branch. */
    parent?: string;
  },
): Promise<string> {
  const by = actor(world, given);
  const repo = repository(world, given);
  const before = await branchTip(repo.dir, given.branch);
  const parent = given.parent ?? before ?? (await branchTip(repo.dir, repo.defaultBranch));
  const after = await commitFiles(repo.dir, {
    branch: given.branch,
    message: given.message ?? "Change",
    files: given.files,
    author: by.account,
    at: world.clock.now(),
    ...(parent !== undefined && { parent }),
  });
  await afterPush(world, by, repo, { ref: `refs/heads/${given.branch}`, before: before ?? zeroId, after });
  return after;
}

/** Deletes a branch. */
export async function deleteBranch(world: World, given: OnRepository & { branch: string }): Promise<void> {
  const repo = repository(world, given);
  const before = must(await branchTip(repo.dir, given.branch), `branch ${given.branch}`);
  await deleteRef(repo.dir, `refs/heads/${given.branch}`);
  await afterPush(world, actor(world, given), repo, { ref: `refs/heads/${given.branch}`, before, after: zeroId });
}

/** Opens a pull request; `head` is a branch, or `owner:branch` of a fork. */
export async function openPullRequest(
  world: World,
  given: OnRepository & { title: string; body?: string; head: string; base?: string; draft?: boolean },
): Promise<Numbered> {
  const base = repository(world, given);
  const { repo, ref } = headRepository(world, base, given.head);
  const head = must(repo, `repository of ${given.head}`);
  const baseRef = given.base ?? base.defaultBranch;
  const made = await pulls.openPull(world, actor(world, given), {
    title: given.title,
    body: given.body ?? null,
    head: { repo: head, owner: head.owner, ref, sha: must(await branchTip(head.dir, ref), `branch ${given.head}`) },
    base: {
      repo: base,
      owner: base.owner,
      ref: baseRef,
      sha: must(await branchTip(base.dir, baseRef), `branch ${baseRef}`),
    },
    draft: given.draft === true,
    maintainerCanModify: head !== base,
  });
  return { ...viewPull(world, made), number: made.issue.number, id: made.id };
}

/** Merges a pull request into its base. Returns the merge commit's id. */
export async function mergePullRequest(world: World, given: OnIssue): Promise<string> {
  const found = pull(world, given);
  const by = actor(world, given);
  const before = found.base.sha;
  const after = await pulls.mergePull(world, by, found);
  await afterPush(world, by, found.base.repo, { ref: `refs/heads/${found.base.ref}`, before, after });
  return after;
}

/** Moves a pull request to another base branch. */
export async function retarget(world: World, given: OnIssue & { base: string }): Promise<void> {
  const found = pull(world, given);
  const sha = must(await branchTip(found.base.repo.dir, given.base), `branch ${given.base}`);
  await pulls.retarget(world, actor(world, given), found, { ref: given.base, sha });
}

/** Marks a draft as ready for review, or a pull request as draft. */
export function setDraft(world: World, given: OnIssue & { draft: boolean }): void {
  pulls.setDraft(world, actor(world, given), pull(world, given), given.draft);
}

/** Requests a review of a person. Apps cannot be reviewers. */
export function requestReview(world: World, given: OnIssue & { reviewer: string }): void {
  const reviewer = must(findAccount(world, given.reviewer), `account ${given.reviewer}`);
  if (reviewer.type !== "User")
    throw new Error(`GitHub stand-in: ${given.reviewer} is not a person and cannot review.`);
  pulls.requestReview(world, actor(world, given), pull(world, given), reviewer);
}

/** Submits a review with line comments; its state is `COMMENTED` by default, and its body null if none is given. */
export async function review(
  world: World,
  given: OnIssue & { state?: Review["state"]; body?: string; comments?: NewReviewComment[] },
): Promise<Identified & { comments: Identified[] }> {
  const made = await reviews.submitReview(world, actor(world, given), pull(world, given), {
    state: given.state ?? "COMMENTED",
    body: given.body ?? null,
    comments: given.comments ?? [],
  });
  const comments = made.comments.map((comment) => viewReviewComment(world, comment) as Identified);
  return { ...viewReview(world, made.review), id: made.review.id, comments };
}

/** Adds a single line comment, or a reply in a review thread. Like GitHub, creates a review without body for it. */
export async function reviewComment(world: World, given: OnIssue & NewReviewComment): Promise<Identified> {
  const made = await review(world, { as: given.as, repo: given.repo, number: given.number, comments: [given] });
  return must(made.comments[0], "comment");
}

/** The check suites of a commit that pushes started, oldest first. */
export function checkSuites(world: World, given: { repo: string; sha: string }): Identified[] {
  return suitesAt(world, given).map((suite) => viewSuite(world, suite) as Identified);
}

/** Ends the newest suite of a commit and its workflow run, and returns the run. `log` is the log of its job. */
export function completeSuite(
  world: World,
  given: { repo: string; sha: string; conclusion: Conclusion; jobName?: string; log?: string },
): Identified {
  const suite = must(suitesAt(world, given).at(-1), `check suite of ${given.sha}`);
  return viewRun(world, completeChecks(world, suite, given)) as Identified;
}

function suitesAt(world: World, given: { repo: string; sha: string }): CheckSuite[] {
  const repo = repository(world, given);
  return world.data.suites.filter((suite) => suite.repo === repo && suite.headSha === given.sha);
}

import { changedFiles } from "../git/read.ts";
import type { Pull, Review, ReviewComment } from "../state/issues.ts";
import { newId, timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewPullItem, viewReview, viewReviewComment } from "../view/pull.ts";

/** A comment of a review that is to be submitted. */
export interface NewReviewComment {
  path: string;
  body: string;
  line?: number | undefined;
  side?: "LEFT" | "RIGHT" | undefined;
  inReplyTo?: number | undefined;
}

/** Submits a review with its comments: one `pull_request_review`, then one `pull_request_review_comment` each. */
export async function submitReview(
  world: World,
  actor: Actor,
  pull: Pull,
  given: { state: Review["state"]; body: string | null; comments: NewReviewComment[]; commitId?: string | undefined },
): Promise<{ review: Review; comments: ReviewComment[] }> {
  const review: Review = {
    id: newId(world),
    pull,
    user: actor.account,
    body: given.body,
    state: given.state,
    commitId: given.commitId ?? pull.head.sha,
    submittedAt: timestamp(world),
  };
  world.data.reviews.push(review);
  pull.requestedReviewers = pull.requestedReviewers.filter((reviewer) => reviewer !== actor.account);
  const comments: ReviewComment[] = [];
  for (const comment of given.comments) comments.push(await makeComment(world, actor, review, comment));
  // GitHub sends no event for a review that is not submitted yet.
  if (given.state === "PENDING") return { review, comments };
  emitReview(world, actor, review, "submitted");
  for (const comment of comments) emitReviewComment(world, actor, comment, "created");
  return { review, comments };
}

/** Changes a review comment. */
export function editReviewComment(world: World, actor: Actor, comment: ReviewComment, body: string): void {
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = timestamp(world);
  emitReviewComment(world, actor, comment, "edited", { changes: { body: { from } } });
}

/** Removes a review comment. */
export function deleteReviewComment(world: World, actor: Actor, comment: ReviewComment): void {
  world.data.reviewComments = world.data.reviewComments.filter((other) => other !== comment);
  emitReviewComment(world, actor, comment, "deleted");
}

async function makeComment(
  world: World,
  actor: Actor,
  review: Review,
  given: NewReviewComment,
): Promise<ReviewComment> {
  const { pull } = review;
  const parent = world.data.reviewComments.find((comment) => comment.id === given.inReplyTo);
  const now = timestamp(world);
  const comment: ReviewComment = {
    id: newId(world),
    pull,
    review,
    inReplyTo: parent ? (parent.inReplyTo ?? parent.id) : null,
    user: actor.account,
    body: given.body,
    path: parent?.path ?? given.path,
    line: parent?.line ?? given.line ?? null,
    side: parent?.side ?? given.side ?? "RIGHT",
    diffHunk: parent?.diffHunk ?? (await hunkOf(pull, given.path)),
    commitId: review.commitId,
    reactions: [],
    createdAt: now,
    updatedAt: now,
  };
  world.data.reviewComments.push(comment);
  return comment;
}

async function hunkOf(pull: Pull, path: string): Promise<string> {
  const files = await changedFiles(pull.base.repo.dir, pull.base.sha, pull.head.sha);
  return files.find((file) => file.filename === path)?.patch ?? "";
}

/** `pull_request_review` spells states in small letters, and keeps an empty body as null. */
function emitReview(world: World, actor: Actor, review: Review, action: string): void {
  const view = { ...viewReview(world, review), state: review.state.toLowerCase(), body: review.body };
  const payload = { review: view, pull_request: viewPullItem(world, review.pull) };
  world.emit({ event: "pull_request_review", action, repo: review.pull.issue.repo, sender: actor.account, payload });
}

function emitReviewComment(
  world: World,
  actor: Actor,
  comment: ReviewComment,
  action: string,
  more: Record<string, unknown> = {},
): void {
  const payload = {
    comment: viewReviewComment(world, comment),
    pull_request: viewPullItem(world, comment.pull),
    ...more,
  };
  const { repo } = comment.pull.issue;
  world.emit({ event: "pull_request_review_comment", action, repo, sender: actor.account, payload });
}

import { actorOf } from "../auth.ts";
import { deleteReviewComment, editReviewComment, submitReview } from "../actions/reviews.ts";
import type { NewReviewComment } from "../actions/reviews.ts";
import type { ReviewComment } from "../state/issues.ts";
import { viewReviewComment } from "../view/pull.ts";
import { commentBody, optionalString, requiredString } from "./body.ts";
import { mayChange } from "./comments.ts";
import { notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { pullOf } from "./pulls.ts";
import { created, noContent, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/pulls";
const read = "read:pull_requests";
const write = "write:pull_requests";

/** Comments on lines of a diff, and their threads. */
export const reviewCommentRoutes: Route[] = [
  onRepo(`GET ${root}/{pull_number}/comments`, read, list),
  onRepo(`POST ${root}/{pull_number}/comments`, write, create),
  onRepo(`POST ${root}/{pull_number}/comments/{comment_id}/replies`, write, reply),
  onRepo(`GET ${root}/comments/{comment_id}`, read, (call) => ok(viewReviewComment(call.world, reviewCommentOf(call)))),
  onRepo(`PATCH ${root}/comments/{comment_id}`, write, update),
  onRepo(`DELETE ${root}/comments/{comment_id}`, write, remove),
];

/** The review comment that the path names. */
export function reviewCommentOf(call: RepoCall): ReviewComment {
  const id = Number(call.params["comment_id"]);
  const found = call.world.data.reviewComments.find(
    (comment) => comment.id === id && comment.pull.issue.repo === call.repo,
  );
  if (!found) throw notFound();
  return found;
}

function list(call: RepoCall): Answer {
  const pull = pullOf(call);
  const since = Date.parse(call.query.get("since") ?? "1970-01-01T00:00:00Z");
  const found = call.world.data.reviewComments.filter(
    (comment) => comment.pull === pull && Date.parse(comment.updatedAt) >= since,
  );
  return pageOf(call, found, (items) => items.map((comment) => viewReviewComment(call.world, comment)));
}

function create(call: RepoCall): Promise<Answer> {
  const line = call.body["line"];
  const inReplyTo = call.body["in_reply_to"];
  return submit(call, {
    path: requiredString(call.body, "path", "PullRequestReviewComment"),
    body: commentBody(call.body, "PullRequestReviewComment"),
    ...(typeof line === "number" && { line }),
    ...(typeof inReplyTo === "number" && { inReplyTo }),
  });
}

function reply(call: RepoCall): Promise<Answer> {
  const parent = reviewCommentOf(call);
  if (parent.pull !== pullOf(call)) throw notFound();
  const body = commentBody(call.body, "PullRequestReviewComment");
  return submit(call, { path: parent.path, body, inReplyTo: parent.id });
}

/** Every line comment is part of a review. A single comment gets its own review without a body. */
async function submit(call: RepoCall, comment: NewReviewComment): Promise<Answer> {
  const { comments } = await submitReview(call.world, actorOf(call.identity), pullOf(call), {
    state: "COMMENTED",
    body: null,
    comments: [comment],
    commitId: optionalString(call.body, "commit_id"),
  });
  const made = comments[0];
  if (!made) throw notFound();
  return created(viewReviewComment(call.world, made));
}

function update(call: RepoCall): Answer {
  const comment = reviewCommentOf(call);
  mayChange(call, comment.user);
  editReviewComment(call.world, actorOf(call.identity), comment, commentBody(call.body, "PullRequestReviewComment"));
  return ok(viewReviewComment(call.world, comment));
}

function remove(call: RepoCall): Answer {
  const comment = reviewCommentOf(call);
  mayChange(call, comment.user);
  deleteReviewComment(call.world, actorOf(call.identity), comment);
  return noContent;
}

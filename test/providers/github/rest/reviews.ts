import { actorOf } from "../auth.ts";
import { submitReview } from "../actions/reviews.ts";
import type { Review } from "../state/issues.ts";
import { viewReview, viewReviewComment } from "../view/pull.ts";
import { optionalString, record } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { pageOf } from "./page.ts";
import { pullOf } from "./pulls.ts";
import { ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";
const read = "read:pull_requests";
const states: Record<string, Review["state"]> = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
};

/** Reviews. */
export const reviewRoutes: Route[] = [
  onRepo(`GET ${root}`, read, list),
  onRepo(`POST ${root}`, "write:pull_requests", create),
  onRepo(`GET ${root}/{review_id}`, read, (call) => ok(viewReview(call.world, reviewOf(call)))),
  onRepo(`GET ${root}/{review_id}/comments`, read, comments),
];

function reviewOf(call: RepoCall): Review {
  const pull = pullOf(call);
  const id = Number(call.params["review_id"]);
  const found = call.world.data.reviews.find((review) => review.pull === pull && review.id === id);
  if (!found) throw notFound();
  return found;
}

function list(call: RepoCall): Answer {
  const pull = pullOf(call);
  const found = call.world.data.reviews.filter((review) => review.pull === pull);
  return pageOf(call, found, (items) => items.map((review) => viewReview(call.world, review)));
}

function comments(call: RepoCall): Answer {
  const review = reviewOf(call);
  const found = call.world.data.reviewComments.filter((comment) => comment.review === review);
  return pageOf(call, found, (items) => items.map((comment) => viewReviewComment(call.world, comment)));
}

async function create(call: RepoCall): Promise<Answer> {
  const pull = pullOf(call);
  const state = states[String(call.body["event"])] ?? "PENDING";
  const body = optionalString(call.body, "body") ?? null;
  const given = Array.isArray(call.body["comments"]) ? call.body["comments"].map(record) : [];
  const actor = actorOf(call.identity);
  if (actor.account === pull.issue.user && state !== "COMMENTED" && state !== "PENDING") {
    const verb = state === "APPROVED" ? "approve" : "request changes on";
    throw new HttpFailure(422, "Unprocessable Entity", { errors: [`Can not ${verb} your own pull request`] });
  }
  const { review } = await submitReview(call.world, actor, pull, {
    state,
    body,
    comments: given.map((comment) => ({
      path: String(comment["path"]),
      body: String(comment["body"]),
      ...(typeof comment["line"] === "number" && { line: comment["line"] }),
    })),
    commitId: optionalString(call.body, "commit_id"),
  });
  return ok(viewReview(call.world, review));
}

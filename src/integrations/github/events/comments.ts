import type { z } from "zod";
import type { ProviderEvent } from "../../types.ts";
import { eventOf, mentionIn, subjectOf, type Origin, type Reading } from "./event.ts";
import type { issueComment, review, reviewComment } from "./payload.ts";

/** A comment on an issue or a change. */
export function readIssueComment(payload: z.infer<typeof issueComment>, origin: Origin): Reading {
  const { comment, issue } = payload;
  const ring = mentionIn(comment.body, origin);
  if ("ignored" in ring) return ring;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, issue.pull_request ? "Change" : "Issue", issue),
    cause: `issue_comment/${comment.id}`,
    object: { type: "IssueComment", id: comment.id },
    url: comment.html_url,
    occurredAt: comment.created_at,
    text: comment.body ?? "",
    signals: [ring],
  });
  return { event };
}

/** The words of a submitted review; GitHub sends `null` where there are none. */
export function readReview(payload: z.infer<typeof review>, origin: Origin): Reading {
  const { review, pull_request } = payload;
  const ring = mentionIn(review.body, origin);
  if ("ignored" in ring) return ring;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, "Change", pull_request),
    cause: `review/${review.id}`,
    object: { type: "Review", id: review.id },
    url: review.html_url,
    occurredAt: review.submitted_at,
    text: review.body ?? "",
    signals: [ring],
  });
  return { event };
}

/** A comment on a line. It belongs to a review: all that one review says is one cause. */
export function readReviewComment(payload: z.infer<typeof reviewComment>, origin: Origin): Reading {
  const { comment, pull_request } = payload;
  const ring = mentionIn(comment.body, origin);
  if ("ignored" in ring) return ring;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, "Change", pull_request),
    cause: causeOf(comment),
    object: { type: "ReviewComment", id: comment.id },
    url: comment.html_url,
    // It is created when it is drafted, and touched once more when its review is submitted, which is when it is said.
    occurredAt: comment.updated_at ?? comment.created_at,
    text: comment.body ?? "",
    signals: [ring],
  });
  return { event };
}

function causeOf({ id, pull_request_review_id }: z.infer<typeof reviewComment>["comment"]): ProviderEvent["cause"] {
  return pull_request_review_id ? `review/${pull_request_review_id}` : `review_comment/${id}`;
}

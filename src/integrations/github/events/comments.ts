import type { z } from "zod";
import type { ProviderEvent } from "../../types.ts";
import { eventOf, mentionIn, subjectOf, type Origin, type ReadResult } from "./event.ts";
import type { issueComment, review, reviewComment } from "./payload.ts";

/** Reads a comment on an issue or a change. */
export function readIssueComment(payload: z.infer<typeof issueComment>, origin: Origin): ReadResult {
  const { comment, issue } = payload;
  const signal = mentionIn(comment.body, origin);
  if ("ignored" in signal) return signal;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, issue.pull_request ? "Change" : "Issue", issue),
    cause: `issue_comment/${comment.id}`,
    object: { type: "IssueComment", id: comment.id },
    url: comment.html_url,
    occurredAt: comment.created_at,
    text: comment.body ?? "",
    signals: [signal],
  });
  return { event };
}

/** Reads the text of a submitted review; GitHub sends `null` if it has no text. */
export function readReview(payload: z.infer<typeof review>, origin: Origin): ReadResult {
  const { review, pull_request } = payload;
  const signal = mentionIn(review.body, origin);
  if ("ignored" in signal) return signal;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, "Change", pull_request),
    cause: `review/${review.id}`,
    object: { type: "Review", id: review.id },
    url: review.html_url,
    occurredAt: review.submitted_at,
    text: review.body ?? "",
    signals: [signal],
  });
  return { event };
}

/** Reads a comment on a line. It belongs to a review; the review and all its comments are one cause. */
export function readReviewComment(payload: z.infer<typeof reviewComment>, origin: Origin): ReadResult {
  const { comment, pull_request } = payload;
  const signal = mentionIn(comment.body, origin);
  if ("ignored" in signal) return signal;
  const event = eventOf(origin, payload, {
    ...subjectOf(payload, "Change", pull_request),
    cause: causeOf(comment),
    object: { type: "ReviewComment", id: comment.id },
    url: comment.html_url,
    // GitHub creates the comment as a draft and updates it when its review is submitted, which is when people see it.
    occurredAt: comment.updated_at ?? comment.created_at,
    text: comment.body ?? "",
    signals: [signal],
  });
  return { event };
}

function causeOf({ id, pull_request_review_id }: z.infer<typeof reviewComment>["comment"]): ProviderEvent["cause"] {
  return pull_request_review_id ? `review/${pull_request_review_id}` : `review_comment/${id}`;
}

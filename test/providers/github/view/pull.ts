import { commentsOf } from "../state/find.ts";
import type { Pull, PullSide, Review, ReviewComment } from "../state/issues.ts";
import { association } from "../state/roles.ts";
import type { World } from "../state/world.ts";
import { viewAccount, viewAccountOrNull } from "./account.ts";
import { issuePage, viewLabel, viewReactionRollup } from "./issue.ts";
import { viewRepository } from "./repository.ts";
import { nodeId, repoApi } from "./urls.ts";

/** GitHub's schema `pull-request-simple`, as lists carry it. */
export function viewPullItem(world: World, pull: Pull): Record<string, unknown> {
  const { issue } = pull;
  return {
    ...pullUrls(world, pull),
    id: pull.id,
    node_id: nodeId("PullRequest", pull.id),
    number: issue.number,
    state: issue.state,
    locked: issue.locked,
    title: issue.title,
    user: viewAccount(world, issue.user),
    body: issue.body,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitSha,
    assignee: viewAccountOrNull(world, issue.assignees[0] ?? null),
    assignees: issue.assignees.map((account) => viewAccount(world, account)),
    requested_reviewers: pull.requestedReviewers.map((account) => viewAccount(world, account)),
    requested_teams: [],
    labels: issue.labels.map((label) => viewLabel(world, issue.repo, label)),
    milestone: null,
    draft: pull.draft,
    head: viewSide(world, pull.head),
    base: viewSide(world, pull.base),
    author_association: association(issue.user, issue.repo),
    auto_merge: null,
    active_lock_reason: null,
  };
}

/** GitHub's schema `pull-request`. */
export function viewPull(world: World, pull: Pull): Record<string, unknown> {
  const { stats } = pull;
  const open = pull.issue.state === "open";
  return {
    ...viewPullItem(world, pull),
    merged: pull.mergedAt !== null,
    mergeable: open ? stats.mergeable : null,
    rebaseable: open ? stats.mergeable : null,
    mergeable_state: open ? (stats.mergeable ? "clean" : "dirty") : "unknown",
    merged_by: viewAccountOrNull(world, pull.mergedBy),
    comments: commentsOf(world, pull.issue).length,
    review_comments: world.data.reviewComments.filter((comment) => comment.pull === pull).length,
    maintainer_can_modify: pull.maintainerCanModify,
    commits: stats.commits,
    additions: stats.additions,
    deletions: stats.deletions,
    changed_files: stats.changedFiles,
  };
}

/** GitHub's schema `pull-request-review`. */
export function viewReview(world: World, review: Review): Record<string, unknown> {
  const page = `${issuePage(world, review.pull.issue)}#pullrequestreview-${review.id}`;
  const pullUrl = repoApi(world, review.pull.issue.repo, `/pulls/${review.pull.issue.number}`);
  return {
    id: review.id,
    node_id: nodeId("PullRequestReview", review.id),
    user: viewAccount(world, review.user),
    body: review.body ?? "",
    state: review.state,
    html_url: page,
    pull_request_url: pullUrl,
    author_association: association(review.user, review.pull.issue.repo),
    _links: { html: { href: page }, pull_request: { href: pullUrl } },
    submitted_at: review.submittedAt,
    commit_id: review.commitId,
  };
}

/** GitHub's schema `pull-request-review-comment`. */
export function viewReviewComment(world: World, comment: ReviewComment): Record<string, unknown> {
  const { repo, number } = comment.pull.issue;
  const url = repoApi(world, repo, `/pulls/comments/${comment.id}`);
  const page = `${issuePage(world, comment.pull.issue)}#discussion_r${comment.id}`;
  const pullUrl = repoApi(world, repo, `/pulls/${number}`);
  return {
    url,
    pull_request_review_id: comment.review.id,
    id: comment.id,
    node_id: nodeId("PullRequestReviewComment", comment.id),
    diff_hunk: comment.diffHunk,
    path: comment.path,
    commit_id: comment.commitId,
    original_commit_id: comment.commitId,
    ...(comment.inReplyTo !== null && { in_reply_to_id: comment.inReplyTo }),
    user: viewAccount(world, comment.user),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: page,
    pull_request_url: pullUrl,
    author_association: association(comment.user, repo),
    _links: { self: { href: url }, html: { href: page }, pull_request: { href: pullUrl } },
    reactions: viewReactionRollup(`${url}/reactions`, comment.reactions),
    start_line: null,
    original_start_line: null,
    start_side: null,
    line: comment.line,
    original_line: comment.line,
    side: comment.side,
    position: 1,
    original_position: 1,
    subject_type: comment.line === null ? "file" : "line",
  };
}

/** The short form of a pull request in checks and workflow runs. */
export function viewPullMinimal(world: World, pull: Pull): Record<string, unknown> {
  const side = (at: PullSide): Record<string, unknown> => {
    const repo = at.repo ?? pull.base.repo;
    return { ref: at.ref, sha: at.sha, repo: { id: repo.id, url: repoApi(world, repo), name: repo.name } };
  };
  const { repo, number } = pull.issue;
  return {
    url: repoApi(world, repo, `/pulls/${number}`),
    id: pull.id,
    number,
    head: side(pull.head),
    base: side(pull.base),
  };
}

function viewSide(world: World, side: PullSide): Record<string, unknown> {
  return {
    label: `${side.owner.login}:${side.ref}`,
    ref: side.ref,
    sha: side.sha,
    user: viewAccount(world, side.owner),
    repo: side.repo && viewRepository(world, side.repo),
  };
}

function pullUrls(world: World, pull: Pull): Record<string, unknown> {
  const { repo, number } = pull.issue;
  const url = repoApi(world, repo, `/pulls/${number}`);
  const issueUrl = repoApi(world, repo, `/issues/${number}`);
  const page = issuePage(world, pull.issue);
  const more = {
    review_comments_url: `${url}/comments`,
    review_comment_url: repoApi(world, repo, "/pulls/comments{/number}"),
    commits_url: `${url}/commits`,
    statuses_url: repoApi(world, repo, `/statuses/${pull.head.sha}`),
    comments_url: `${issueUrl}/comments`,
  };
  const href = (to: string): { href: string } => ({ href: to });
  return {
    url,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issueUrl,
    ...more,
    _links: {
      self: href(url),
      html: href(page),
      issue: href(issueUrl),
      comments: href(more.comments_url),
      review_comments: href(more.review_comments_url),
      review_comment: href(more.review_comment_url),
      commits: href(more.commits_url),
      statuses: href(more.statuses_url),
    },
  };
}

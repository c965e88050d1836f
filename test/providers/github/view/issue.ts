import type { Comment, Issue, Reaction } from "../state/issues.ts";
import { reactionContents } from "../state/issues.ts";
import type { Label, Repository } from "../state/repositories.ts";
import { association } from "../state/roles.ts";
import type { World } from "../state/world.ts";
import { commentsOf } from "../state/find.ts";
import { viewAccount, viewAccountOrNull } from "./account.ts";
import { viewAppOrNull } from "./app.ts";
import { nodeId, repoApi, repoWeb } from "./urls.ts";

/** GitHub's schema `issue`. */
export function viewIssue(world: World, issue: Issue): Record<string, unknown> {
  const url = repoApi(world, issue.repo, `/issues/${issue.number}`);
  return {
    url,
    repository_url: repoApi(world, issue.repo),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: issuePage(world, issue),
    id: issue.id,
    node_id: nodeId(issue.pull ? "PullRequest" : "Issue", issue.id),
    number: issue.number,
    title: issue.title,
    user: viewAccount(world, issue.user),
    labels: issue.labels.map((label) => viewLabel(world, issue.repo, label)),
    state: issue.state,
    locked: issue.locked,
    assignee: viewAccountOrNull(world, issue.assignees[0] ?? null),
    assignees: issue.assignees.map((account) => viewAccount(world, account)),
    milestone: null,
    comments: commentsOf(world, issue).length,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    closed_by: viewAccountOrNull(world, issue.closedBy),
    author_association: association(issue.user, issue.repo),
    active_lock_reason: null,
    body: issue.body,
    reactions: viewReactionRollup(`${url}/reactions`, issue.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: viewAppOrNull(world, issue.app),
    state_reason: issue.stateReason,
    ...pullLinks(world, issue),
  };
}

/** An issue's or pull request's web page. */
export function issuePage(world: World, issue: Issue): string {
  return repoWeb(world, issue.repo, `/${issue.pull ? "pull" : "issues"}/${issue.number}`);
}

/** GitHub's schema `issue-comment`. */
export function viewComment(world: World, comment: Comment): Record<string, unknown> {
  const { repo, number } = comment.issue;
  const url = repoApi(world, repo, `/issues/comments/${comment.id}`);
  return {
    url,
    html_url: `${issuePage(world, comment.issue)}#issuecomment-${comment.id}`,
    issue_url: repoApi(world, repo, `/issues/${number}`),
    id: comment.id,
    node_id: nodeId("IssueComment", comment.id),
    user: viewAccount(world, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: association(comment.user, repo),
    reactions: viewReactionRollup(`${url}/reactions`, comment.reactions),
    performed_via_github_app: viewAppOrNull(world, comment.app),
  };
}

/** GitHub's schema `label`. */
export function viewLabel(world: World, repo: Repository, label: Label): Record<string, unknown> {
  return {
    id: label.id,
    node_id: nodeId("Label", label.id),
    url: repoApi(world, repo, `/labels/${encodeURIComponent(label.name)}`),
    name: label.name,
    color: label.color,
    default: label.default,
    description: label.description,
  };
}

/** GitHub's schema `reaction`. */
export function viewReaction(world: World, reaction: Reaction): Record<string, unknown> {
  return {
    id: reaction.id,
    node_id: nodeId("Reaction", reaction.id),
    user: viewAccount(world, reaction.user),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

/** GitHub's schema `reaction-rollup`. */
export function viewReactionRollup(url: string, reactions: Reaction[]): Record<string, unknown> {
  const count = (content: string): number => reactions.filter((reaction) => reaction.content === content).length;
  return {
    url,
    total_count: reactions.length,
    ...Object.fromEntries(reactionContents.map((content) => [content, count(content)])),
  };
}

function pullLinks(world: World, issue: Issue): Record<string, unknown> {
  if (!issue.pull) return {};
  const page = issuePage(world, issue);
  return {
    draft: issue.pull.draft,
    pull_request: {
      url: repoApi(world, issue.repo, `/pulls/${issue.number}`),
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      merged_at: issue.pull.mergedAt,
    },
  };
}

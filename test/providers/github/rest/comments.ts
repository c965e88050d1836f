import { actorOf } from "../auth.ts";
import { addComment, deleteComment, editComment } from "../actions/issues.ts";
import { commentsOf } from "../state/find.ts";
import type { Comment } from "../state/issues.ts";
import type { Account } from "../state/accounts.ts";
import { atLeast, roleOf } from "../state/roles.ts";
import { viewComment } from "../view/issue.ts";
import { commentBody } from "./body.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { issueOf } from "./issues.ts";
import { pageOf } from "./page.ts";
import { created, noContent, ok, onRepo } from "./route.ts";
import type { Answer, RepoCall, Route } from "./route.ts";

const root = "/repos/{owner}/{repo}/issues";
const write = "write:issues|pull_requests";
const read = "read:issues|pull_requests";

/** Comments of issues and pull request conversations. */
export const commentRoutes: Route[] = [
  onRepo(`GET ${root}/{issue_number}/comments`, read, (call) => page(call, commentsOf(call.world, issueOf(call)))),
  onRepo(`POST ${root}/{issue_number}/comments`, write, create),
  onRepo(`GET ${root}/comments`, read, (call) => page(call, commentsOfRepository(call))),
  onRepo(`GET ${root}/comments/{comment_id}`, read, (call) => ok(viewComment(call.world, commentOf(call)))),
  onRepo(`PATCH ${root}/comments/{comment_id}`, write, update),
  onRepo(`DELETE ${root}/comments/{comment_id}`, write, remove),
];

/** The comment that the path names. */
export function commentOf(call: RepoCall): Comment {
  const found = commentsOfRepository(call).find((comment) => comment.id === Number(call.params["comment_id"]));
  if (!found) throw notFound();
  return found;
}

/** People need write access to change comments of others. */
export function mayChange(call: RepoCall, author: Account): void {
  if (call.identity.kind !== "user" || call.identity.user === author) return;
  if (!atLeast(roleOf(call.identity.user, call.repo), "write"))
    throw new HttpFailure(403, "Must have admin rights to Repository.");
}

function commentsOfRepository(call: RepoCall): Comment[] {
  return call.world.data.comments.filter((comment) => comment.issue.repo === call.repo);
}

/** `since` filters by the time of the last change. */
function page(call: RepoCall, comments: Comment[]): Answer {
  const since = call.query.get("since");
  const sinceMs = since === null ? 0 : Date.parse(since);
  const found = comments.filter((comment) => Date.parse(comment.updatedAt) >= sinceMs);
  return pageOf(call, found, (items) => items.map((comment) => viewComment(call.world, comment)));
}

function create(call: RepoCall): Answer {
  const issue = issueOf(call);
  if (issue.locked && !mayCommentWhereLocked(call))
    throw new HttpFailure(403, "Unable to create comment because issue is locked.");
  const body = commentBody(call.body, "IssueComment");
  return created(viewComment(call.world, addComment(call.world, actorOf(call.identity), issue, body)));
}

/** Apps may not, whatever their permissions are. */
function mayCommentWhereLocked({ identity, repo }: RepoCall): boolean {
  return identity.kind === "user" && atLeast(roleOf(identity.user, repo), "write");
}

function update(call: RepoCall): Answer {
  const comment = commentOf(call);
  mayChange(call, comment.user);
  editComment(call.world, actorOf(call.identity), comment, commentBody(call.body, "IssueComment"));
  return ok(viewComment(call.world, comment));
}

function remove(call: RepoCall): Answer {
  const comment = commentOf(call);
  mayChange(call, comment.user);
  deleteComment(call.world, actorOf(call.identity), comment);
  return noContent;
}

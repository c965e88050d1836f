import type { Account } from "../state/accounts.ts";
import type { Comment, Issue } from "../state/issues.ts";
import { reactionContents } from "../state/issues.ts";
import type { Reaction } from "../state/issues.ts";
import type { Repository } from "../state/repositories.ts";
import { newId, timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewComment, viewIssue } from "../view/issue.ts";
import { viewPull } from "../view/pull.ts";

/** Opens an issue. */
export function openIssue(
  world: World,
  actor: Actor,
  repo: Repository,
  given: { title: string; body: string | null },
): Issue {
  const issue = makeIssue(world, actor, repo, given);
  emitIssue(world, actor, issue, "opened");
  return issue;
}

/** Creates an issue record (also the issue side of a pull request) without an event. */
export function makeIssue(
  world: World,
  actor: Actor,
  repo: Repository,
  given: { title: string; body: string | null },
): Issue {
  const now = timestamp(world);
  const issue: Issue = {
    id: newId(world),
    repo,
    number: repo.nextNumber++,
    title: given.title,
    body: given.body,
    user: actor.account,
    app: actor.app,
    state: "open",
    locked: false,
    stateReason: null,
    labels: [],
    assignees: [],
    reactions: [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
    pull: null,
  };
  world.data.issues.push(issue);
  return issue;
}

/** Sends an event about an issue or a pull request to the hooks. */
export function emitIssue(
  world: World,
  actor: Actor,
  issue: Issue,
  action: string,
  more: Record<string, unknown> = {},
): void {
  const subject = issue.pull
    ? { number: issue.number, pull_request: viewPull(world, issue.pull) }
    : { issue: viewIssue(world, issue) };
  const event = issue.pull ? "pull_request" : "issues";
  world.emit({ event, action, repo: issue.repo, sender: actor.account, payload: { ...subject, ...more } });
}

/** Changes title or body; sends `edited` with the old text. */
export function editIssue(
  world: World,
  actor: Actor,
  issue: Issue,
  given: { title?: string | undefined; body?: string | null | undefined },
): void {
  const changes: Record<string, unknown> = {};
  if (given.title !== undefined && given.title !== issue.title) {
    changes["title"] = { from: issue.title };
    issue.title = given.title;
  }
  if (given.body !== undefined && given.body !== issue.body) {
    changes["body"] = { from: issue.body ?? "" };
    issue.body = given.body;
  }
  if (Object.keys(changes).length === 0) return;
  issue.updatedAt = timestamp(world);
  emitIssue(world, actor, issue, "edited", { changes });
}

/** Closes or reopens an issue or pull request. */
export function setState(world: World, actor: Actor, issue: Issue, state: "open" | "closed"): void {
  if (issue.state === state) return;
  const now = timestamp(world);
  const closed = state === "closed";
  Object.assign(issue, {
    state,
    updatedAt: now,
    closedAt: closed ? now : null,
    closedBy: closed ? actor.account : null,
  });
  issue.stateReason = issue.pull ? null : closed ? "completed" : "reopened";
  emitIssue(world, actor, issue, closed ? "closed" : "reopened");
}

/** Assigns an account to an issue or pull request. */
export function assign(world: World, actor: Actor, issue: Issue, assignee: Account): void {
  if (issue.assignees.includes(assignee)) return;
  issue.assignees.push(assignee);
  issue.updatedAt = timestamp(world);
  const view = issue.pull ? viewPull(world, issue.pull) : viewIssue(world, issue);
  emitIssue(world, actor, issue, "assigned", { assignee: (view["assignees"] as unknown[]).at(-1) });
}

/** Comments on an issue or pull request. */
export function addComment(world: World, actor: Actor, issue: Issue, body: string): Comment {
  const now = timestamp(world);
  const comment: Comment = {
    id: newId(world),
    issue,
    user: actor.account,
    app: actor.app,
    body,
    reactions: [],
    createdAt: now,
    updatedAt: now,
  };
  world.data.comments.push(comment);
  issue.updatedAt = now;
  emitComment(world, actor, comment, "created");
  return comment;
}

/** Edits a comment. */
export function editComment(world: World, actor: Actor, comment: Comment, body: string): void {
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = timestamp(world);
  emitComment(world, actor, comment, "edited", { changes: { body: { from } } });
}

/** Deletes a comment. */
export function deleteComment(world: World, actor: Actor, comment: Comment): void {
  world.data.comments = world.data.comments.filter((other) => other !== comment);
  emitComment(world, actor, comment, "deleted");
}

/** Adds a reaction, or returns the existing one of the same account and content. */
export function react(
  world: World,
  actor: Actor,
  target: { reactions: Reaction[] },
  content: string,
): { reaction: Reaction; created: boolean } {
  const known = target.reactions.find((reaction) => reaction.user === actor.account && reaction.content === content);
  if (known) return { reaction: known, created: false };
  if (!reactionContents.some((allowed) => allowed === content))
    throw new Error(`GitHub stand-in: there is no reaction ${content}.`);
  const reaction: Reaction = { id: newId(world), user: actor.account, content, createdAt: timestamp(world) };
  target.reactions.push(reaction);
  return { reaction, created: true };
}

function emitComment(
  world: World,
  actor: Actor,
  comment: Comment,
  action: string,
  more: Record<string, unknown> = {},
): void {
  const { issue } = comment;
  const payload = { issue: viewIssue(world, issue), comment: viewComment(world, comment), ...more };
  world.emit({ event: "issue_comment", action, repo: issue.repo, sender: actor.account, payload });
}

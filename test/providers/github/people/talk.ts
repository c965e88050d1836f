import * as issues from "../actions/issues.ts";
import { addLabels, removeLabel } from "../actions/labels.ts";
import { findAccount, must } from "../state/find.ts";
import type { World } from "../state/world.ts";
import { viewComment, viewIssue } from "../view/issue.ts";
import { actor, issue, repository } from "./resolve.ts";
import type { By, OnIssue, OnRepository } from "./resolve.ts";

/** The typed fields of a view that tests use; the other fields are present too. */
export type Numbered = Record<string, unknown> & { id: number; number: number };

/** A view with an id. */
export type Identified = Record<string, unknown> & { id: number };

/** Opens an issue. Sends events in GitHub's order: `opened`, then one per label and assignee. */
export function openIssue(
  world: World,
  given: OnRepository & { title: string; body?: string; labels?: string[]; assignees?: string[] },
): Numbered {
  const by = actor(world, given);
  const made = issues.openIssue(world, by, repository(world, given), { title: given.title, body: given.body ?? null });
  addLabels(world, by, made, given.labels ?? []);
  for (const login of given.assignees ?? []) {
    issues.assign(world, by, made, must(findAccount(world, login), `account ${login}`));
  }
  return viewIssue(world, made) as Numbered;
}

/** Changes an issue's or pull request's title or body. */
export function editIssue(world: World, given: OnIssue & { title?: string; body?: string }): void {
  issues.editIssue(world, actor(world, given), issue(world, given), given);
}

/** Closes an issue, or a pull request without merging it. */
export function closeIssue(world: World, given: OnIssue): void {
  issues.setState(world, actor(world, given), issue(world, given), "closed");
}

/** Reopens an issue or pull request. */
export function reopenIssue(world: World, given: OnIssue): void {
  issues.setState(world, actor(world, given), issue(world, given), "open");
}

/** Locks the conversation of an issue or pull request, or unlocks it: only people with write access can comment. */
export function lockIssue(world: World, given: OnIssue & { locked?: boolean }): void {
  issue(world, given).locked = given.locked !== false;
}

/** Comments on an issue or pull request. */
export function comment(world: World, given: OnIssue & { body: string }): Identified {
  return viewComment(
    world,
    issues.addComment(world, actor(world, given), issue(world, given), given.body),
  ) as Identified;
}

/** Edits a comment. */
export function editComment(world: World, given: By & { comment: number; body: string }): void {
  const found = world.data.comments.find((candidate) => candidate.id === given.comment);
  issues.editComment(world, actor(world, given), must(found, `comment ${given.comment}`), given.body);
}

/** Deletes a comment. */
export function deleteComment(world: World, given: By & { comment: number }): void {
  const found = world.data.comments.find((candidate) => candidate.id === given.comment);
  issues.deleteComment(world, actor(world, given), must(found, `comment ${given.comment}`));
}

/** Adds a label. */
export function label(world: World, given: OnIssue & { label: string }): void {
  addLabels(world, actor(world, given), issue(world, given), [given.label]);
}

/** Removes a label. */
export function unlabel(world: World, given: OnIssue & { label: string }): void {
  removeLabel(world, actor(world, given), issue(world, given), given.label);
}

/** Assigns a person. Apps cannot be assigned. */
export function assign(world: World, given: OnIssue & { assignee: string }): void {
  const account = must(findAccount(world, given.assignee), `account ${given.assignee}`);
  if (account.type !== "User")
    throw new Error(`GitHub stand-in: ${given.assignee} is not a person and cannot be assigned.`);
  issues.assign(world, actor(world, given), issue(world, given), account);
}

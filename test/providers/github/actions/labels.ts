import type { Issue } from "../state/issues.ts";
import type { Label, Repository } from "../state/repositories.ts";
import { newId, timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewLabel } from "../view/issue.ts";
import { emitIssue } from "./issues.ts";

/** The repository's label of this name, made if need be (GitHub makes labels on first use, in grey). */
export function ensureLabel(world: World, repo: Repository, name: string): Label {
  const known = repo.labels.get(name.toLowerCase());
  if (known) return known;
  const label: Label = { id: newId(world), name, color: "ededed", description: null, default: false };
  repo.labels.set(name.toLowerCase(), label);
  return label;
}

/** Puts labels on an issue or pull request; one `labeled` each. */
export function addLabels(world: World, actor: Actor, issue: Issue, names: string[]): void {
  for (const name of names) {
    const label = ensureLabel(world, issue.repo, name);
    if (issue.labels.includes(label)) continue;
    issue.labels.push(label);
    issue.updatedAt = timestamp(world);
    emitIssue(world, actor, issue, "labeled", { label: viewLabel(world, issue.repo, label) });
  }
}

/** Takes a label off; false where it was not on. */
export function removeLabel(world: World, actor: Actor, issue: Issue, name: string): boolean {
  const label = issue.labels.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  if (!label) return false;
  issue.labels = issue.labels.filter((other) => other !== label);
  issue.updatedAt = timestamp(world);
  emitIssue(world, actor, issue, "unlabeled", { label: viewLabel(world, issue.repo, label) });
  return true;
}

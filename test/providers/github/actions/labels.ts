import type { Issue } from "../state/issues.ts";
import type { Label, Repository } from "../state/repositories.ts";
import { newId, timestamp } from "../state/world.ts";
import type { Actor, World } from "../state/world.ts";
import { viewLabel } from "../view/issue.ts";
import { emitIssue } from "./issues.ts";

/** The repository's label of this name. Creates it if it is missing, as GitHub does on first use, in grey. */
export function ensureLabel(world: World, repo: Repository, name: string): Label {
  const known = repo.labels.get(name.toLowerCase());
  if (known) return known;
  const label: Label = { id: newId(world), name, color: "ededed", description: null, default: false };
  repo.labels.set(name.toLowerCase(), label);
  return label;
}

/** Adds labels to an issue or pull request; sends one `labeled` per label. */
export function addLabels(world: World, actor: Actor, issue: Issue, names: string[]): void {
  for (const name of names) {
    const label = ensureLabel(world, issue.repo, name);
    if (issue.labels.includes(label)) continue;
    issue.labels.push(label);
    issue.updatedAt = timestamp(world);
    emitIssue(world, actor, issue, "labeled", { label: viewLabel(world, issue.repo, label) });
  }
}

/** Removes a label; false if the label was not set. */
export function removeLabel(world: World, actor: Actor, issue: Issue, name: string): boolean {
  const label = issue.labels.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  if (!label) return false;
  issue.labels = issue.labels.filter((other) => other !== label);
  issue.updatedAt = timestamp(world);
  emitIssue(world, actor, issue, "unlabeled", { label: viewLabel(world, issue.repo, label) });
  return true;
}

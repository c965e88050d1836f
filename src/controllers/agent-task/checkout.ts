import type { Checkout } from "../../api/agent-task-status.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { Change, CodeHost, RepositoryRef } from "../../integrations/code-host.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { branchCandidates, branchStem } from "./branch-name.ts";
import { branchBefore, isMadeByUs, isOurBranch, isTaken } from "./conversation.ts";
import type { TaskIndex } from "./task-index.ts";

/** The branch and commit that a task works on, or why there is none. */
export type CheckoutResolution = { ok: true; checkout: Checkout } | { ok: false; reason: string; message: string };

/** Inputs of the resolution of a checkout. */
export interface CheckoutSources {
  task: AgentTask;
  tasks: TaskIndex;
  profile: AgentProfile;
  botId: string | undefined;
  repository: RepositoryRef;
  host: CodeHost;
  signal: AbortSignal;
}

type HostRepository = Awaited<ReturnType<CodeHost["repository"]>>;

/** How many branch names are tried. */
const nameTries = 50;

/**
 * Reads the code host and chooses the branch to work on: the head of the task's change if we may push to it; otherwise the branch of the
 * conversation's last task while its change is open; otherwise a new branch. Writes nothing.
 */
export async function resolveCheckout(sources: CheckoutSources): Promise<CheckoutResolution> {
  const { task, host, repository, signal } = sources;
  const found = await findRepository(sources);
  const name = `${repository.owner}/${repository.name}`;
  if (!found)
    return fail("RepositoryGone", `Repository ${name} was deleted, or the integration has no access to it any more.`);
  if (found.archived)
    return fail("RepositoryArchived", `Repository ${name} is archived, so nothing can be pushed to it.`);
  const { type, number } = task.spec.source.subject;
  if (type !== "Change" || number === undefined) return resolveForIssue(sources, found);
  const change = await host.change(repository, number, signal);
  if (!change) return fail("ChangeGone", `Change ${name}#${number} does not exist any more.`);
  return change.state === "Open" ? resolveForChange(sources, found, change) : resolveForIssue(sources, found);
}

async function resolveForChange(
  sources: CheckoutSources,
  found: HostRepository,
  change: Change,
): Promise<CheckoutResolution> {
  const { profile, host, repository, signal } = sources;
  const branch = change.sameRepository ? await host.branch(repository, change.headRef, signal) : undefined;
  const rule = headRule(change, {
    ours: isOurs(sources, change),
    isDefault: change.headRef === found.defaultBranch,
    isProtected: branch?.protected ?? true,
    isBase: await isBase(sources, change),
    pushToHumanBranches: profile.spec.output.pushToHumanBranches,
  });
  if (rule === "Push") return onHead(sources, change);
  const earlier = await resumeBranch(sources, found, change.headRef);
  if (earlier) return earlier;
  // A fork's head is not a branch of this repository: the stacked change must have the same base as the fork's change.
  const baseRef = change.sameRepository ? change.headRef : change.baseRef;
  return newBranch(sources, { baseRef, headSHA: change.headSHA, stacked: true });
}

async function resolveForIssue(sources: CheckoutSources, found: HostRepository): Promise<CheckoutResolution> {
  const { host, repository, signal } = sources;
  if (found.empty) return newBranch(sources, { baseRef: found.defaultBranch });
  const earlier = await resumeBranch(sources, found);
  if (earlier) return earlier;
  const tip = await host.branch(repository, found.defaultBranch, signal);
  if (!tip)
    return fail("BaseGone", `Repository ${repository.owner}/${repository.name} has no branch ${found.defaultBranch}.`);
  return newBranch(sources, { baseRef: found.defaultBranch, headSHA: tip.sha });
}

/** Facts that decide whether we may push to the head of a change. */
export interface HeadFacts {
  /** The branch is one that Bellhop made. */
  ours: boolean;
  /** It is the repository's default branch. */
  isDefault: boolean;
  isProtected: boolean;
  /** Other work is based on it. */
  isBase: boolean;
  pushToHumanBranches: boolean;
}

/** Decides between a push to the head of a change and a change of ours stacked on it. Forks and default branches always get a stacked change. Pure. */
export function headRule(change: Pick<Change, "sameRepository">, head: HeadFacts): "Push" | "Stack" {
  if (!change.sameRepository || head.isDefault) return "Stack";
  if (head.ours) return "Push";
  return head.pushToHumanBranches && !head.isProtected && !head.isBase ? "Push" : "Stack";
}

/**
 * Whether Bellhop made the branch. True if one of our tasks created it. Otherwise its name must begin with the profile's prefix, and either
 * its change must have the bot as author or one of our tasks must have pushed to it. The author alone is not enough, because the user of a
 * token also opens changes of their own.
 */
function isOurs({ task, tasks, profile, botId }: CheckoutSources, change: Change): boolean {
  if (!change.sameRepository) return false;
  if (isMadeByUs(task, change.headRef, tasks)) return true;
  if (!change.headRef.startsWith(profile.spec.output.branchPrefix)) return false;
  return (botId !== undefined && change.author.id === botId) || isOurBranch(task, change.headRef, tasks);
}

/** Whether a task of ours or an open change is based on the head. The code host is asked only if its answer can change the decision. */
async function isBase(sources: CheckoutSources, { headRef, sameRepository }: Change): Promise<boolean> {
  const { task, tasks, profile, host, repository, signal } = sources;
  const known = tasks.inRepository(task, "base", headRef).length > 0;
  if (known || !sameRepository || !profile.spec.output.pushToHumanBranches) return known;
  return host.isBase(repository, headRef, signal);
}

/** Resolves to the branch of the conversation's last task, while its change is open (or, if none was opened, while the branch exists). */
async function resumeBranch(
  sources: CheckoutSources,
  found: HostRepository,
  excludedBranch?: string,
): Promise<CheckoutResolution | undefined> {
  const { task, tasks, host, repository, signal } = sources;
  const before = branchBefore(task, tasks);
  if (!before || before.branch === excludedBranch) return undefined;
  const { branch, changeNumber, checkout } = before;
  const change = await host.findChange(repository, branch, signal);
  if (change) return onHead(sources, change, checkout?.stacked);
  return changeNumber === undefined ? onBranch(sources, found, { headRef: branch, before: checkout }) : undefined;
}

/** The branch of an earlier task without a change. The base that this task recorded may have been merged and deleted, or renamed, since. */
async function onBranch(
  sources: CheckoutSources,
  { defaultBranch }: HostRepository,
  { headRef, before }: { headRef: string; before: Checkout | undefined },
): Promise<CheckoutResolution | undefined> {
  const { host, repository, signal } = sources;
  const tip = await host.branch(repository, headRef, signal);
  if (!tip) return undefined;
  const { baseRef } = before ?? {};
  const isGone = baseRef !== undefined && (await host.branch(repository, baseRef, signal)) === undefined;
  const retargeted = isGone ? { baseRef: defaultBranch, goneBaseRef: baseRef, stacked: undefined } : {};
  return pushable(sources, { ...before, ...retargeted, headRef, headSHA: tip.sha, newBranch: undefined });
}

async function onHead(sources: CheckoutSources, change: Change, stacked?: boolean): Promise<CheckoutResolution> {
  const base = await sources.host.branch(sources.repository, change.baseRef, sources.signal);
  const checkout: Checkout & { headRef: string } = {
    baseRef: change.baseRef,
    headRef: change.headRef,
    headSHA: change.headSHA,
    ...(base ? { baseSHA: base.sha } : {}),
    ...(stacked ? { stacked } : {}),
  };
  return pushable(sources, checkout);
}

/** The checkout, if no rule that the code host shows forbids the push; otherwise the refusal, before an agent works for nothing. */
async function pushable(
  { host, repository, signal }: CheckoutSources,
  checkout: Checkout & { headRef: string },
): Promise<CheckoutResolution> {
  const { headRef: name, newBranch = false } = checkout;
  const refusal = await host.pushRefusal(repository, { name, creates: newBranch }, signal);
  return refusal === undefined ? { ok: true, checkout } : fail("PushNotAllowed", refusal);
}

async function newBranch(
  sources: CheckoutSources,
  start: { baseRef: string; headSHA?: string; stacked?: boolean },
): Promise<CheckoutResolution> {
  const { task, profile } = sources;
  const stem = branchStem(task, profile.spec.output.branchPrefix);
  const parent = await branchWithin(sources, stem);
  if (parent !== undefined) return fail("BranchTaken", nested(stem, parent));
  const headRef = await freeName(sources, stem);
  if (headRef === undefined)
    return fail("BranchTaken", `The branch names ${stem} to ${stem}-${nameTries} are all in use; delete old branches.`);
  const { baseRef, headSHA, stacked } = start;
  const shas = headSHA === undefined ? {} : { baseSHA: headSHA, headSHA };
  return pushable(sources, { baseRef, headRef, newBranch: true, ...shas, ...(stacked ? { stacked } : {}) });
}

/** A branch whose name is a folder of this name, for example `bellhop` for `bellhop/42`: git cannot have both. */
async function branchWithin({ host, repository, signal }: CheckoutSources, name: string): Promise<string | undefined> {
  const parts = name.split("/").slice(0, -1);
  for (const [index] of parts.entries()) {
    const folder = parts.slice(0, index + 1).join("/");
    if (await host.branch(repository, folder, signal)) return folder;
  }
  return undefined;
}

function nested(stem: string, parent: string): string {
  return `The branch \`${parent}\` exists, so git cannot create \`${stem}\`. Rename that branch, or set the profile's \`output.branchPrefix\` to another prefix; then use the command \`retry\`.`;
}

async function freeName(
  { task, tasks, host, repository, signal }: CheckoutSources,
  stem: string,
): Promise<string | undefined> {
  for (const name of branchCandidates(stem, nameTries)) {
    if (!isTaken(task, name, tasks) && !(await host.branch(repository, name, signal))) return name;
  }
  return undefined;
}

async function findRepository({ host, repository, signal }: CheckoutSources): Promise<HostRepository | undefined> {
  try {
    const found = await host.repository(repository, signal);
    return found.id === repository.id ? found : undefined;
  } catch (error) {
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}

function fail(reason: string, message: string): CheckoutResolution {
  return { ok: false, reason, message };
}

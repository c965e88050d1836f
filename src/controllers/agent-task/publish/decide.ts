import type { PublishCommand } from "../../../api/agent-task-status.ts";
import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import type { ProviderError } from "../../../integrations/errors.ts";
import type { SandboxState } from "../../../sandbox/provider.ts";
import { defined } from "../../../shared/defined.ts";
import { retryCondition } from "../../provider-failure.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import { conditionOf, proposedBy, type Proposed } from "../state.ts";
import { clearRetryCondition } from "../status.ts";

/** The branch as the code host shows it now; undefined if it does not exist. */
export type Tip = { sha: string; protected: boolean } | undefined;

/** Either the one push that is allowed, or a final refusal with a human-readable reason. */
export type Verdict = { ok: true; publish: PublishCommand } | { ok: false; reason: string; message: string };

/** The target branch as the code host shows it; `failure` if it could not be read. */
export interface Reading {
  tip: Tip;
  failure?: ProviderError;
}

/** Allow the push, or end the task after it. */
export type Action = "allowPush" | "conclude";

/** How often the code host is read during a push; couriers push within a second or two. */
const pushingMs = 1_500;
/** How long a code host may take to show a push that the courier reported. */
const unseenMs = 30_000;
const failingMs = 15_000;
/** How long the code host must report that the repository does not exist before the task fails; replicas and permissions can lag behind. */
const goneMs = 60_000;

/** Decides what to do with a proposal. Pure. A sandbox that ended without a push is handled by the follow step. */
export function decide(facts: TaskFacts, reading: Reading, now: Date): Decision<Action> {
  const { task, profile, sandbox } = facts;
  const proposed = proposedBy(task);
  if (!proposed || !profile) return {};
  if (reading.failure) return unreadable(facts, reading.failure, now);
  if (task.status?.publish) return pushing(facts, reading.tip, now);
  if (hasEnded(sandbox)) return clearRetryCondition(task);
  const verdict = judgeProposal(task, profile, proposed, reading.tip);
  if (!verdict.ok)
    return { conditions: [{ type: "Succeeded", status: "False", reason: verdict.reason, message: verdict.message }] };
  return { fields: { publish: verdict.publish }, actions: ["allowPush"], requeueAfterMs: pushingMs };
}

/** Decides after a push was allowed: only the code host shows whether it happened. */
function pushing({ task, sandbox }: TaskFacts, tip: Tip, now: Date): Decision<Action> {
  if (tip?.sha === task.status?.publish?.newId) return { actions: ["conclude"] };
  if (!hasEnded(sandbox)) return { actions: ["allowPush"], requeueAfterMs: pushingMs };
  const saysPublished = sandbox?.state === "Finished" && sandbox.outcome.reason === "Published";
  if (saysPublished && unseenForMs(task, now) < unseenMs) {
    const message = "The courier reported a push; the code host does not show it yet.";
    return {
      conditions: [{ type: "SandboxReady", status: "False", reason: notSeen, message }],
      requeueAfterMs: pushingMs,
    };
  }
  return { ...clearRetryCondition(task), fields: { publish: undefined }, requeueAfterMs: 0 };
}

const notSeen = "PushNotSeen";

function unseenForMs(task: AgentTask, now: Date): number {
  const condition = conditionOf(task, "SandboxReady");
  return condition?.reason === notSeen ? now.getTime() - Date.parse(condition.lastTransitionTime) : 0;
}

/** Waits while the sandbox waits, but only a minute if the repository is missing; then the task ends with the code host's answer. */
export function unreadable({ task, sandbox }: TaskFacts, failure: ProviderError, now: Date): Decision<never> {
  const over = hasEnded(sandbox);
  if (over && !task.status?.publish) return {};
  const message = `Could not read the branch at the code host: ${failure.message}`;
  const gone = failure.failure === "NotFound";
  if (over || (gone && saidForMs(task, failure.failure, now) >= goneMs)) {
    const reason = gone ? "RepositoryGone" : "PublishUnreachable";
    return { conditions: [{ type: "Succeeded", status: "False", reason, message }] };
  }
  return {
    // A condition with another reason has its own start time, which does not count for this failure.
    ...(conditionOf(task, "Succeeded")?.reason === failure.failure ? {} : { drop: ["Succeeded"] }),
    conditions: [{ type: "Succeeded", ...retryCondition({ code: failure.failure, message }) }],
    requeueAfterMs: failingMs,
  };
}

function saidForMs(task: AgentTask, reason: string, now: Date): number {
  const condition = conditionOf(task, "Succeeded");
  return condition?.reason === reason ? now.getTime() - Date.parse(condition.lastTransitionTime) : 0;
}

function hasEnded(sandbox: SandboxState | undefined): boolean {
  return sandbox !== undefined && ["Finished", "Broken", "Missing"].includes(sandbox.state);
}

/** Decides whether a proposal may be pushed: it has the resolved target, the branch did not move, and the output is within the profile's policy. Pure. */
export function judgeProposal(task: AgentTask, profile: AgentProfile, proposed: Proposed, tip: Tip): Verdict {
  return (
    outputRefused(profile, proposed) ??
    targetRefused(task, proposed) ??
    branchMoved(task, proposed, tip) ??
    branchProtected({ task, profile, proposed, tip }) ??
    allowed(proposed)
  );
}

type Refusal = Verdict | undefined;

interface Judged {
  task: AgentTask;
  profile: AgentProfile;
  proposed: Proposed;
  tip: Tip;
}

function outputRefused({ spec }: AgentProfile, proposed: Proposed): Refusal {
  const { maxFiles, maxPatchKiB } = spec.output;
  const paths = proposed.protectedPaths ?? [];
  const reasons = [
    ...(paths.length > 0
      ? [`the commit changes protected paths: ${paths.map((path) => `\`${path}\``).join(", ")}`]
      : []),
    ...(proposed.files > maxFiles
      ? [`the commit changes ${proposed.files} files (at most ${maxFiles} are allowed)`]
      : []),
    ...(proposed.patchKiB > maxPatchKiB
      ? [`the commit adds ${proposed.patchKiB} KiB of new content (at most ${maxPatchKiB} KiB are allowed)`]
      : []),
  ];
  if (reasons.length === 0) return undefined;
  return refused("OutputRefused", `Nothing was pushed because of the profile's output policy: ${reasons.join("; ")}.`);
}

function targetRefused({ status }: AgentTask, { ref, oldId }: Proposed): Refusal {
  const { headRef, headSHA, newBranch } = status?.checkout ?? {};
  if (headRef === undefined || ref !== `refs/heads/${headRef}`) {
    return refused(
      "PublishRefused",
      `The sandbox asked to push to ${ref}; the task may push only to ${headRef ?? "nothing"}.`,
    );
  }
  const expected = newBranch ? undefined : headSHA;
  if (oldId === expected) return undefined;
  return refused(
    "PublishRefused",
    `The sandbox asked to push to ${headRef} on top of ${oldId ?? "nothing"}, but the task started from ${expected ?? "nothing"}.`,
  );
}

function branchMoved({ status }: AgentTask, { oldId, newId }: Proposed, tip: Tip): Refusal {
  const branch = status?.checkout?.headRef ?? "the branch";
  if (tip?.sha === oldId || tip?.sha === newId) return undefined;
  if (tip === undefined)
    return refused(
      "BranchGone",
      `\`${branch}\` was deleted while the task was running, so nothing was pushed. Use the command \`retry\` to start again.`,
    );
  const message =
    oldId === undefined
      ? `Somebody else created \`${branch}\` while the task was running.`
      : `Somebody else pushed to \`${branch}\` while the task was running; nothing was overwritten.`;
  return refused("BranchMoved", `${message} Use the command \`retry\` to start again from there.`);
}

/**
 * A branch of other people may be pushed to only while nothing protects it. For a branch with our prefix, "protected" only means that some rule
 * names it; the code host knows whether the rule applies to us, and its answer to the push decides.
 */
function branchProtected({ task, profile, proposed, tip }: Judged): Refusal {
  if (!tip?.protected || tip.sha === proposed.newId) return undefined;
  const branch = task.status?.checkout?.headRef ?? "the branch";
  if (branch.startsWith(profile.spec.output.branchPrefix)) return undefined;
  return refused(
    "PublishRefused",
    `\`${branch}\` became protected while the task was running; nothing was pushed to it.`,
  );
}

function allowed({ ref, oldId, newId }: Proposed): Verdict {
  return { ok: true, publish: { ref, newId, ...defined({ oldId }) } };
}

function refused(reason: string, message: string): Verdict {
  return { ok: false, reason, message };
}

import type { PublishCommand } from "../../../api/agent-task-status.ts";
import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import { newestAttempt } from "../state.ts";
import { defined } from "../../../shared/defined.ts";

/** The push that a courier proposes. */
export type Proposed = NonNullable<NonNullable<NonNullable<AgentTask["status"]>["result"]>["proposed"]>;

/** The branch as the code host shows it now; undefined if it does not exist. */
export type Tip = { sha: string; protected: boolean } | undefined;

/** Either the one push that is allowed, or a final refusal with a human-readable reason. */
export type Verdict = { ok: true; publish: PublishCommand } | { ok: false; reason: string; message: string };

/** The proposal of the newest attempt; proposals of older attempts do not count. */
export function proposedBy(task: AgentTask): Proposed | undefined {
  const proposed = task.status?.result?.proposed;
  return proposed && proposed.attempt === newestAttempt(task)?.number ? proposed : undefined;
}

/** Decides whether a proposal may be pushed: it has the resolved target, the branch did not move, and the output is within the profile's policy. Pure. */
export function judgeProposal(task: AgentTask, profile: AgentProfile, proposed: Proposed, tip: Tip): Verdict {
  return (
    outputRefused(profile, proposed) ??
    targetRefused(task, proposed) ??
    branchMoved(task, proposed, tip) ??
    branchProtected(task, proposed, tip) ??
    allowed(proposed)
  );
}

type Refusal = Verdict | undefined;

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

function branchProtected({ status }: AgentTask, { newId }: Proposed, tip: Tip): Refusal {
  if (!tip?.protected || tip.sha === newId) return undefined;
  const branch = status?.checkout?.headRef ?? "the branch";
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

import type { AgentTask } from "../../api/kinds.ts";
import type { Reread } from "../../integrations/connection.ts";
import type { TaskFacts, Decision } from "./facts.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { nameOfRepository } from "./repository.ts";
import {
  conditionOf,
  holds,
  isAtWork,
  isDecided,
  isOver,
  isStopping,
  isWaitingForApproval,
  isWork,
  newestAttempt,
  repositoryOf,
  targetOf,
} from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

/** After this time without an approval the task ends. */
const waitForApprovalMs = 7 * 24 * 3_600_000;

/** Reason of an approval that nobody has to give. */
const notNeeded = "NotNeeded";

/** Whether the thread and the repository are readable by some people only; nobody but the requester writes in a direct thread. */
interface ApprovalReading {
  thread: "Direct" | "Private" | "Public";
  repository: "Private" | "Public";
}

/**
 * Keeps work back that would show to many what only some can read: a request from a direct message or a private channel for a public
 * repository. A person with write access there, other than the requester, approves it in the thread before an agent runs. In a direct message
 * there is no such person, so the task ends.
 */
export const approval: Step<ApprovalReading | undefined, never> = {
  name: "approval",
  condition: "Approved",
  concerns: ({ task }) =>
    isWork(task) &&
    task.spec.codeHostRef !== undefined &&
    holds(task, "Authorized") &&
    repositoryOf(task) !== undefined &&
    !isDecided(task, "Approved") &&
    !isOver(task) &&
    !isStopping(task),
  // A waiting task is reconciled every minute; nothing is read again meanwhile.
  gather: async (context) => (isWaitingForApproval(context.facts.task) ? undefined : readVisibility(context)),
  decide: (facts, reading, now) => decideApproval(facts, reading, now),
  apply: async () => undefined,
};

/**
 * Reads the visibility again before the agent runs: a task may wait in the queue for hours, and its repository may become public meanwhile. Then
 * it gives up its place, and asks for the approval that it did not need before. An approval that was given stays.
 */
export const approvalAgain: Step<ApprovalReading, never> = {
  name: "approval-again",
  concerns: ({ task }) =>
    isAtWork(task) && conditionOf(task, "Approved")?.reason === notNeeded && newestAttempt(task) === undefined,
  gather: readVisibility,
  decide: (facts, reading, now) => decideAgain(facts, reading, now),
  apply: async () => undefined,
};

/** The task is prepared again after the approval: its branch and its thread may have changed by then. Pure. */
function decideAgain(facts: TaskFacts, reading: ApprovalReading, now: Date): Decision {
  const decision = decideApproval(facts, reading, now);
  const isStillAllowed = decision.conditions?.every(({ status }) => status === "True");
  return isStillAllowed ? {} : { ...decision, drop: ["Admitted", "ContextReady"] };
}

async function readVisibility(context: StepContext): Promise<ApprovalReading> {
  const { task } = context.facts;
  // A task from kubectl shows nothing of a thread.
  if (task.spec.source.provider === "kubernetes") return { thread: "Public", repository: "Public" };
  const at = repositoryOf(task);
  const { source } = await context.connection();
  const reread = await source.reread(targetOf(task), context.signal);
  const found = at && (await repositoryAt(context, at));
  return {
    thread: visibilityOf(reread),
    repository: found?.private === false ? "Public" : "Private",
  };
}

/** A request that was deleted since is not shown to be public. */
function visibilityOf(reread: Reread | undefined): ApprovalReading["thread"] {
  if (!reread?.found) return "Private";
  if (reread.direct) return "Direct";
  return reread.private ? "Private" : "Public";
}

async function repositoryAt(
  context: StepContext,
  ref: NonNullable<ReturnType<typeof repositoryOf>>,
): Promise<{ private: boolean } | undefined> {
  try {
    return await (await context.codeHost()).repository(ref, context.signal);
  } catch (error) {
    // `prepare` ends the task with the reason.
    if (isProviderFailure(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Pure. */
export function decideApproval({ task }: TaskFacts, reading: ApprovalReading | undefined, now: Date): Decision {
  const approvedBy = task.status?.requests?.find(({ type, argument }) => type === "approve" && argument === undefined);
  if (approvedBy) return approved("Approved", `Approved by ${approvedBy.by}.`);
  if (!reading) return goOnWaiting(task, now);
  if (reading.thread === "Public" || reading.repository !== "Public")
    return approved(notNeeded, "The repository is not more public than the thread.");
  const name = nameOfRepository(task);
  if (reading.thread === "Direct") return ended("NoApprover", noApprover(name));
  const message =
    `Only some people can read this thread, but ${name} is public: this request and the agent's answer would become public there. ` +
    `To go on, a person with write access to ${name}, other than the requester, answers with \`approve\`.`;
  return {
    conditions: [{ type: "Approved", status: "Unknown", reason: "WaitingForApproval", message }],
    requeueAfterMs: waitForApprovalMs,
  };
}

function goOnWaiting(task: AgentTask, now: Date): Decision {
  const since = Date.parse(conditionOf(task, "Approved")?.lastTransitionTime ?? "");
  const leftMs = since + waitForApprovalMs - now.getTime();
  return leftMs > 0 ? { requeueAfterMs: leftMs } : notApproved();
}

function notApproved(): Decision {
  return ended(
    "NoApproval",
    "Nobody approved within 7 days that this request becomes public. Ask again to start over.",
  );
}

function noApprover(name: string): string {
  return (
    `This is a direct message, but ${name} is public: this request and the agent's answer would become public there, ` +
    `and nobody else is here to approve that. Ask again in a channel where somebody with write access to ${name} can approve it.`
  );
}

function ended(reason: string, message: string): Decision {
  return {
    conditions: [
      { type: "Approved", status: "False", reason, message },
      { type: "Succeeded", status: "False", reason, message },
    ],
  };
}

function approved(reason: string, message: string): Decision {
  return { conditions: [{ type: "Approved", status: "True", reason, message }] };
}

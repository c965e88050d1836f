import type { AgentTask } from "../../api/kinds.ts";
import type { Connection, Reread } from "../../integrations/connection.ts";
import { acceptEdited, isEdited, readEdited } from "./edited-request.ts";
import type { TaskFacts, Decision } from "./facts.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import { nameOfRepository } from "./repository.ts";
import {
  conditionOf,
  holds,
  isAtWork,
  isDecided,
  isOver,
  isSlashCommand,
  isStopping,
  isWaitingForApproval,
  isWork,
  newestAttempt,
  notNeeded,
  repositoryOf,
  targetOf,
} from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

/** After this time without an approval the task ends. */
const waitForApprovalMs = 7 * 24 * 3_600_000;

/** Whether the thread and the repository are readable by some people only; nobody but the requester writes in a direct thread. */
interface ApprovalReading {
  thread: "Direct" | "Private" | "Public";
  repository: "Private" | "Public";
  /** The request was deleted, or its text was changed: somebody who approves now has read another text. */
  isChanged?: boolean;
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
  // A waiting task is reconciled every minute; nothing is read again until somebody approves.
  gather: async (context) => {
    const { task } = context.facts;
    return isWaitingForApproval(task) && !approverOf(task) ? undefined : readVisibility(context);
  },
  decide: (facts, reading, now) => decideApproval(facts, reading, now),
  apply: async () => undefined,
};

/**
 * Reads the visibility again before the agent runs: a task may wait in the queue for hours, and its repository may become public meanwhile. Then
 * it gives up its place, and asks for the approval that it did not need before. An approval that was given stays.
 */
export const approvalAgain: Step<ApprovalReading, never> = {
  name: "approval-again",
  concerns: ({ task }) => isAtWork(task) && isNotNeeded(task) && newestAttempt(task) === undefined,
  gather: readVisibility,
  decide: (facts, reading, now) => decideAgain(facts, reading, now),
  apply: async () => undefined,
};

function isNotNeeded(task: AgentTask): boolean {
  const reasons: readonly (string | undefined)[] = Object.values(notNeeded);
  return reasons.includes(conditionOf(task, "Approved")?.reason);
}

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
  const connection = await context.connection();
  const reread = await connection.source.reread(targetOf(task), context.signal);
  const found = at && (await repositoryAt(context, at));
  return {
    thread: visibilityOf(reread),
    repository: found?.private === false ? "Public" : "Private",
    isChanged: isChanged(context.facts, connection, reread),
  };
}

/** Whether the request differs from what was authorised. An edit that was accepted at that time is no difference. */
function isChanged(facts: TaskFacts, connection: Connection, reread: Reread | undefined): boolean {
  if (!reread?.found) return true;
  const accepted = facts.task.status?.request;
  return accepted ? editedPrompt(facts, connection, reread) !== accepted.prompt : isEdited(facts.task, reread);
}

/** The prompt of the edited text as it is now; undefined if it asks for nothing. */
function editedPrompt({ task, integration }: TaskFacts, connection: Connection, reread: Reread): string | undefined {
  const edited = integration && readEdited(connection, task, reread, integration.status?.bot?.mention);
  return edited && acceptEdited(task, integration, edited).request?.prompt;
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
  const approver = approverOf(task);
  if (!reading) return goOnWaiting(task, now);
  if (approver && reading.isChanged) return ended("RequestChanged", changedBefore(approver));
  if (approver) return approved("Approved", `Approved by ${approver}.`);
  if (reading.thread === "Public") return approved(notNeeded.thread, "The thread is public.");
  if (reading.repository !== "Public")
    return approved(notNeeded.repository, "The repository is not more public than the thread.");
  const name = nameOfRepository(task);
  if (reading.thread === "Direct") return ended("NoApprover", noApprover(name));
  if (isSlashCommand(task)) return ended("NoApprover", noReader(name));
  const message =
    `Only some people can read this thread, but ${name} is public: this request and the agent's answer would become public there. ` +
    `To go on, a person with write access to ${name}, other than the requester, answers with \`approve\`.`;
  return {
    conditions: [{ type: "Approved", status: "Unknown", reason: "WaitingForApproval", message }],
    requeueAfterMs: waitForApprovalMs,
  };
}

/** Who approved that the task runs. */
function approverOf({ status }: AgentTask): string | undefined {
  return status?.requests?.find(({ type, argument }) => type === "approve" && argument === undefined)?.by;
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

function noReader(name: string): string {
  return (
    `Only you can read this slash command, but ${name} is public: the request and the agent's answer would become public there, ` +
    `and nobody else could approve that. Ask again in a message here that mentions the bot: somebody with write access to ${name} can then approve it.`
  );
}

function changedBefore(approver: string): string {
  return (
    `The request was edited or deleted before ${approver} approved it, so it is not certain which text ${approver} has read. ` +
    "Nothing was started; to ask for it, write a new message."
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

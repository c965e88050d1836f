import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import { isTaken, tasksOf } from "../conversation.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import { conditionOf, conversationOf, holds, isOver, isWork, newestFirst, ownWorkOnly, requesterOf } from "../state.ts";
import type { TaskIndex } from "../task-index.ts";

/** Actions of commands; each is idempotent. */
export type CommandAction =
  | { do: "stop"; targets: string[] }
  | { do: "again"; original: string }
  | { do: "approve"; target: string; branch: string; commit: string };

/** Inputs of a command besides the facts. */
export interface CommandReading {
  /** Profile of the work whose commit waits for approval; it decides whether checks are held. Undefined if there is no such work or profile. */
  profile: AgentProfile | undefined;
}

/** A command as the status of its target task records it. */
export type TaskRequest = NonNullable<NonNullable<AgentTask["status"]>["requests"]>[number];

type Rule = (facts: TaskFacts, reading: CommandReading) => Decision<CommandAction>;

/** Decides what an authorised command does. Pure. */
export function decideCommand(facts: TaskFacts, reading: CommandReading): Decision<CommandAction> {
  const rule = rules[facts.task.spec.command ?? "help"];
  return rule(facts, reading);
}

/** Ends the command with success; `message` is the answer to the person. */
export function commandSucceeded(reason: string, message: string): Decision<never> {
  return { conditions: [{ type: "Succeeded", status: "True", reason, message }] };
}

/** Ends the command without carrying it out; `message` says why. */
export function commandRefused(reason: string, message: string): Decision<never> {
  return { conditions: [{ type: "Succeeded", status: "False", reason, message }] };
}

const stop: Rule = ({ task, tasks }) => {
  const onlyOwn = conditionOf(task, "Authorized")?.reason === ownWorkOnly;
  const open = openWork(task, tasks).filter((work) => !onlyOwn || requesterOf(work).id === task.spec.actor.id);
  const targets = open.map(({ metadata }) => metadata.name);
  if (targets.length === 0) return commandSucceeded("NothingToStop", "No work is running in this conversation.");
  return { actions: [{ do: "stop", targets }] };
};

const again: Rule = ({ task, tasks }) => {
  if (openWork(task, tasks).length > 0)
    return commandRefused(
      "StillRunning",
      "Work in this conversation is still running; use `stop` first, or wait until it ends.",
    );
  const original = lastWork(task, tasks);
  if (original) return { actions: [{ do: "again", original: original.metadata.name }] };
  return commandRefused("NothingToRetry", "There is no earlier work in this conversation.");
};

const status: Rule = ({ task, tasks }) => {
  const open = openWork(task, tasks);
  const [newest] = open.length > 0 ? open : [lastWork(task, tasks)];
  if (!newest) return commandSucceeded("Status", "No work has been done in this conversation.");
  return commandSucceeded("Status", `${newest.metadata.name}: ${newest.status?.phase ?? "Pending"}${why(newest)}`);
};

const help: Rule = ({ integration }) => {
  const at = `@${integration?.status?.bot?.mention ?? "bot"}`;
  return commandSucceeded(
    "Help",
    `Write \`${at}\` and what you want done. Or: \`${at} stop\` stops the running work, \`${at} retry\` starts the last work again, \`${at} continue\` continues it on its branch, ` +
      `\`${at} status\` shows its state, \`${at} approve <commit>\` starts the checks of a held commit.`,
  );
};

const approve: Rule = ({ task, tasks }, { profile }) => {
  const target = lastPublished(task, tasks);
  const { commit, branch } = target?.status?.result ?? {};
  if (!target || commit === undefined || branch === undefined)
    return commandRefused("NothingToApprove", "No commit by Bellhop waits for approval in this conversation.");
  return (
    approvedBefore(task, target) ??
    notHeld(profile) ??
    busy(branch, task, tasks) ??
    approveCommit(task, tasks, { target: target.metadata.name, commit, branch })
  );
};

/** Answers if the commit was approved already. The approval is recorded on the work before the command ends, so that a crash in between does not repeat it. */
function approvedBefore(task: AgentTask, target: AgentTask): Decision<CommandAction> | undefined {
  const approval = approvalOf(target);
  if (!approval) return undefined;
  if (approval.from === task.metadata.name) return commandSucceeded("Approved", "Approved: the checks are running.");
  return commandSucceeded("NothingToApprove", `@${approval.by} has already approved the newest commit.`);
}

function notHeld(profile: AgentProfile | undefined): Decision<CommandAction> | undefined {
  if (profile?.spec.output.ci !== "Run") return undefined;
  return commandSucceeded("NotHeld", "Checks are not held here (output.ci: Run); there is nothing to approve.");
}

/** Refuses while other work runs on the branch: our empty commit would make its push fail, and its commit needs a review anyway. */
function busy(branch: string, task: AgentTask, tasks: TaskIndex): Decision<CommandAction> | undefined {
  if (!isTaken(task, branch, tasks)) return undefined;
  return commandRefused(
    "StillRunning",
    "Work on this branch is still running; approve its commit when it ends, or use `stop` first.",
  );
}

function approveCommit(
  task: AgentTask,
  tasks: TaskIndex,
  waiting: { target: string; commit: string; branch: string },
): Decision<CommandAction> {
  const given = task.spec.commandArgument?.toLowerCase() ?? "";
  const { commit } = waiting;
  if (given.length < 7 || !commit.startsWith(given)) {
    return commandRefused(
      "WrongCommit",
      `The commit that waits for approval is ${commit.slice(0, 7)}${given === "" ? "" : `, not ${given}`}; review it, then use \`approve ${commit.slice(0, 7)}\`.`,
    );
  }
  if (unapprovedOn(waiting.branch, task, tasks).some((work) => requesterOf(work).id === task.spec.actor.id)) {
    return commandRefused(
      "RequesterMayNotApprove",
      "A person who requested work in this commit cannot approve it; another person with write access has to.",
    );
  }
  return { actions: [{ do: "approve", ...waiting }] };
}

/**
 * The work of a command's conversation that was received before the command, newest first. Excludes the task that the command itself
 * created, and work that ended without ever being authorised.
 */
function workOf(command: AgentTask, tasks: TaskIndex): AgentTask[] {
  return tasksOf(conversationOf(command), command, tasks)
    .filter((other) => isWork(other) && mayCount(other) && isBefore(other, command))
    .sort(newestFirst);
}

function mayCount(task: AgentTask): boolean {
  return !isOver(task) || holds(task, "Authorized");
}

function isBefore(other: AgentTask, command: AgentTask): boolean {
  return newestFirst(other, command) > 0 && other.spec.source.cause !== command.spec.source.cause;
}

/** Work of the conversation that has not ended. */
function openWork(command: AgentTask, tasks: TaskIndex): AgentTask[] {
  return workOf(command, tasks).filter((task) => !isOver(task));
}

/** The newest work of the conversation that was authorised and has ended: refused work cannot be repeated. */
function lastWork(command: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  return workOf(command, tasks).find((task) => isOver(task) && holds(task, "Authorized"));
}

/** The newest work of the conversation that left a commit. */
export function lastPublished(command: AgentTask, tasks: TaskIndex): AgentTask | undefined {
  return workOf(command, tasks).find((task) => task.status?.result?.commit !== undefined);
}

/** The work on the branch that was not approved yet, newest first. */
function unapprovedOn(branch: string, command: AgentTask, tasks: TaskIndex): AgentTask[] {
  const work = workOf(command, tasks).filter((task) => task.status?.result?.branch === branch);
  const approvedAt = work.findIndex((task) => approvalOf(task) !== undefined);
  return approvedAt < 0 ? work : work.slice(0, approvedAt);
}

/** The approval of a task's commit, if there is one. */
function approvalOf(work: AgentTask): TaskRequest | undefined {
  return work.status?.requests?.find(({ type }) => type === "approve");
}

function why({ status: state }: AgentTask): string {
  const last = state?.conditions?.findLast(({ type }) => type === "Succeeded") ?? state?.conditions?.at(-1);
  return last ? `. ${last.message}` : "";
}

const rules = { stop, retry: again, continue: again, status, help, approve } as const;

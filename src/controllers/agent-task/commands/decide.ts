import type { AgentProfile, AgentTask } from "../../../api/kinds.ts";
import { isTaken } from "../conversation.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import { conditionOf, isSlashCommand, ownWorkOnly } from "../state.ts";
import { isRequester } from "../same-person.ts";
import type { TaskIndex } from "../task-index.ts";
import { commandRefused, commandSucceeded, type CommandAction } from "./ends.ts";
import { statusOfChannel, stopInChannel } from "./in-channel.ts";
import {
  approvalOf,
  isAsPrivateAsRepository,
  isHeldElsewhere,
  isNotPublic,
  isOfPrivateComment,
  lastPublished,
  lastWork,
  openWork,
  unapprovedOn,
  waitingForApproval,
} from "./work-of.ts";

/** Inputs of a command besides the facts. */
export interface CommandReading {
  /** Profile of the work whose commit waits for approval; it decides whether checks are held. Undefined if there is no such work or profile. */
  profile: AgentProfile | undefined;
  /** Permission of the person at the code host; read only if `needsApprover`. `Nobody`: no account is known. */
  approver?: { may: boolean; has: string } | "Nobody" | undefined;
  /** Whether the repository of the work is private now; read only for a repetition of a request that is as private as the repository. */
  isPrivate?: boolean;
}

type Rule = (facts: TaskFacts, reading: CommandReading) => Decision<CommandAction>;

/** Decides what an authorised command does. Pure. */
export function decideCommand(facts: TaskFacts, reading: CommandReading, now: Date): Decision<CommandAction> {
  const { command = "help" } = facts.task.spec;
  const refused = inOtherMessage(facts);
  if (refused) return refused;
  if (isSlashCommand(facts.task) && command === "status") return statusOfChannel(facts, now);
  if (isSlashCommand(facts.task) && command === "stop") return stopInChannel(facts);
  return rules[command](facts, reading);
}

/** Refuses a button that is in another message than the report of its task: the person did not read what it is for. */
function inOtherMessage({ task, tasks }: TaskFacts): Decision<CommandAction> | undefined {
  const { commandTarget: name, commandMessage } = task.spec;
  if (name === undefined || commandMessage === undefined) return undefined;
  const { id, url } = tasks.get({ namespace: task.metadata.namespace, name })?.status?.report ?? {};
  if (id === undefined || id === commandMessage) return undefined;
  const where = url === undefined ? "" : `: ${url}`;
  return commandRefused("OtherMessage", `This is not the report of ${name}. Use the button in its report${where}`);
}

const stop: Rule = (facts) => {
  const { task, tasks } = facts;
  const onlyOwn = conditionOf(task, "Authorized")?.reason === ownWorkOnly;
  const open = openWork(task, tasks).filter(
    (work) => !isHeldElsewhere(work, task) && (!onlyOwn || isRequester(facts, work)),
  );
  const targets = open.map(({ metadata }) => metadata.name);
  if (targets.length === 0) return commandSucceeded("NothingToStop", "No work is running in this conversation.");
  return { actions: [{ do: "stop", targets }] };
};

const again: Rule = ({ task, tasks }, { isPrivate }) => {
  if (openWork(task, tasks).length > 0)
    return commandRefused(
      "StillRunning",
      "Work in this conversation is still running; use `stop` first, or wait until it ends.",
    );
  const original = lastWork(task, tasks);
  if (original && isOfPrivateComment(original, task))
    return commandRefused(
      "OtherThread",
      "The last work of this conversation was requested at the code host, which fewer people may read than this thread; use the command there.",
    );
  if (original && (isNotPublic(original, task) || (isAsPrivateAsRepository(original, task) && !isPrivate)))
    return commandRefused(
      "NotApproved",
      "The last work of this conversation was requested elsewhere, and nobody approved that it becomes public; use the command there.",
    );
  if (original) return { actions: [{ do: "again", original: original.metadata.name }] };
  return commandRefused("NothingToRetry", "There is no earlier work in this conversation.");
};

const status: Rule = ({ task, tasks }) => {
  const open = openWork(task, tasks).filter((work) => !isHeldElsewhere(work, task));
  const last = lastWork(task, tasks);
  const [newest] = open.length > 0 ? open : [last && isHeldElsewhere(last, task) ? undefined : last];
  if (!newest) return commandSucceeded("Status", "No work has been done in this conversation.");
  return commandSucceeded("Status", `${newest.metadata.name}: ${newest.status?.phase ?? "Pending"}${why(newest)}`);
};

/** The answer to `help`: each command, and the text after it. */
export const helpLines: readonly { command: string; text: string }[] = [
  { command: "…", text: ": does what you write" },
  { command: "stop", text: ": stops the running work" },
  { command: "retry", text: ": starts the last work again" },
  { command: "continue", text: ": continues it on its branch" },
  { command: "status", text: ": shows its state" },
  { command: "approve <commit>", text: ": starts the checks of a held commit" },
  { command: "use owner/name", text: ": says which repository a request is about" },
];

const help: Rule = ({ integration }) => {
  const at = `@${integration?.status?.bot?.mention ?? "bot"}`;
  const texts = helpLines.map(({ command, text }) => `\`${at} ${command}\`${text}`);
  return commandSucceeded("Help", `${texts.join("; ")}.`);
};

/** A short text that has a command word: nobody knows whether it asks for work or for the command, so Bellhop asks. */
const unclear: Rule = () =>
  commandRefused(
    "NotUnderstood",
    "Is this a command or a request for work? Nothing was started. For a command, write it alone, for example `stop`, `retry`, `status` or " +
      "`approve` with a commit; `help` lists all of them. For work, describe it in a whole sentence.",
  );

const use: Rule = ({ task, tasks }) => {
  const repository = task.spec.commandArgument;
  if (repository !== undefined && isChosen(task, tasks, repository))
    return commandSucceeded("RepositoryChosen", `${task.spec.commandTarget} works in ${repository}.`);
  const waiting = openWork(task, tasks).filter((work) => work.status?.question !== undefined);
  const [target, ...others] = waiting;
  if (!target)
    return commandRefused("NothingAsked", "No work in this conversation waits for the name of a repository.");
  if (others.length > 0) return severalWait(waiting, "menu");
  if (repository === undefined) return { actions: [{ do: "ask", target: target.metadata.name }] };
  return { actions: [{ do: "use", target: target.metadata.name, repository }] };
};

/** Whether the task of a menu works in this repository already. The menu cannot be removed after a choice, so people repeat choices. */
function isChosen({ metadata, spec }: AgentTask, tasks: TaskIndex, repository: string): boolean {
  const { commandTarget: name } = spec;
  const work = name === undefined ? undefined : tasks.get({ namespace: metadata.namespace, name });
  const { owner, name: of, from } = work?.status?.repository ?? {};
  return from === "Answer" && `${owner}/${of}` === repository;
}

/** Refuses a command that does not say which of several requests it is for: an answer must not go to a request that the person did not read. */
function severalWait(waiting: readonly AgentTask[], what: "button" | "menu"): Decision<CommandAction> {
  const named = waiting.map(({ metadata }) => metadata.name).join(", ");
  return commandRefused(
    "SeveralWait",
    `Several requests of this conversation wait: ${named}. Use the ${what} of the report that you mean.`,
  );
}

/** Whether the permission of a command's sender at the code host has to be read: the command or the work comes from elsewhere. */
export function needsApprover(command: AgentTask, work: AgentTask): boolean {
  return command.spec.codeHostRef !== undefined || work.spec.codeHostRef !== undefined;
}

/** Lets work run that would show a private thread to many. */
function allow(target: AgentTask, facts: TaskFacts, reading: CommandReading): Decision<CommandAction> {
  if (isRequester(facts, target))
    return commandRefused(
      "RequesterMayNotApprove",
      "The requester cannot approve their own request; another person with write access has to.",
    );
  return lacksWrite(facts.task, reading) ?? { actions: [{ do: "allow", target: target.metadata.name }] };
}

/** Refuses a person of a chat or tracker who has no write access at the code host; being allowed to start tasks is not enough there. */
function lacksWrite(command: AgentTask, { approver }: CommandReading): Decision<CommandAction> | undefined {
  if (approver === "Nobody" || approver === undefined)
    return commandRefused(
      "NotAuthorized",
      `@${command.spec.actor.login} has no account at the code host that the integration knows (spec.access.people), so they cannot approve.`,
    );
  if (!approver.may)
    return commandRefused(
      "NotAuthorized",
      `@${command.spec.actor.login} has ${approver.has}; an approval needs write access.`,
    );
  return undefined;
}

const approve: Rule = (facts, reading) => {
  const { task, tasks } = facts;
  const waiting = waitingForApproval(task, tasks);
  const [held, ...others] = waiting;
  if (others.length > 0) return severalWait(waiting, "button");
  if (held) return allow(held, facts, reading);
  const target = lastPublished(task, tasks);
  const { commit, branch } = target?.status?.result ?? {};
  if (!target || commit === undefined || branch === undefined)
    return commandRefused("NothingToApprove", "No commit by Bellhop waits for approval in this conversation.");
  return approvePublished({ target, commit, branch }, facts, reading);
};

interface Published {
  target: AgentTask;
  commit: string;
  branch: string;
}

function approvePublished(published: Published, facts: TaskFacts, reading: CommandReading): Decision<CommandAction> {
  const { task, tasks } = facts;
  const { target, branch } = published;
  return (
    approvedBefore(task, target) ??
    notHeld(reading.profile) ??
    (needsApprover(task, target) ? lacksWrite(task, reading) : undefined) ??
    busy(branch, target, tasks) ??
    approveCommit(facts, published)
  );
}

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
function busy(branch: string, target: AgentTask, tasks: TaskIndex): Decision<CommandAction> | undefined {
  if (!isTaken(target, branch, tasks)) return undefined;
  return commandRefused(
    "StillRunning",
    "Work on this branch is still running; approve its commit when it ends, or use `stop` first.",
  );
}

function approveCommit(facts: TaskFacts, { target, commit, branch }: Published): Decision<CommandAction> {
  const { task, tasks } = facts;
  const given = task.spec.commandArgument?.toLowerCase() ?? "";
  if (given.length < 7 || !commit.startsWith(given)) {
    return commandRefused(
      "WrongCommit",
      `The commit that waits for approval is ${commit.slice(0, 7)}${given === "" ? "" : `, not ${given}`}; review it, then use \`approve ${commit.slice(0, 7)}\`.`,
    );
  }
  if (unapprovedOn(target, task, tasks).some((work) => isRequester(facts, work))) {
    return commandRefused(
      "RequesterMayNotApprove",
      "A person who requested work in this commit cannot approve it; another person with write access has to.",
    );
  }
  return { actions: [{ do: "approve", target: target.metadata.name, commit, branch }] };
}

function why({ status: state }: AgentTask): string {
  const last = state?.conditions?.findLast(({ type }) => type === "Succeeded") ?? state?.conditions?.at(-1);
  return last ? `. ${last.message}` : "";
}

const rules = { stop, retry: again, continue: again, status, help, approve, use, unclear } as const;

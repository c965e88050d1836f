import type { AgentTask } from "../../../api/kinds.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import { isRequester } from "../same-person.ts";
import {
  conditionOf,
  conversationOf,
  holds,
  isOver,
  isSlashCommand,
  isWork,
  newestFirst,
  ownWorkOnly,
} from "../state.ts";
import { conversationKey } from "../task-index.ts";
import { commandRefused, commandSucceeded, type CommandAction } from "./ends.ts";
import { isBefore } from "./work-of.ts";

type Facts = Pick<TaskFacts, "task" | "tasks" | "integrationOf">;

/** How many requests a list has: unfinished ones, and ones that ended within the last day. */
const [maxOpen, maxEnded] = [20, 5];
const recentlyMs = 24 * 3_600_000;

/**
 * `status` as a slash command: the requests of the channel that its sender may see, as a list. These are their own, and those that were made
 * in this channel, because everybody there can read their reports.
 */
export function statusOfChannel(facts: Facts, now: Date): Decision<CommandAction> {
  const { open, ended } = listed(facts, now);
  const found = [...open, ...ended];
  if (found.length === 0)
    return commandSucceeded("Status", "No request of this channel is unfinished or ended within the last 24 hours.");
  const message = `Unfinished requests of this channel: ${open.length}. Ended within the last 24 hours: ${ended.length}.`;
  return withList(commandSucceeded("Status", message), found);
}

/** `stop` as a slash command: stops the sender's own request of the channel, or the one that they name. */
export function stopInChannel(facts: Facts): Decision<CommandAction> {
  const { commandArgument: which } = facts.task.spec;
  if (which !== undefined && which !== "all") return stopNamed(facts, which);
  const own = ownOpenWork(facts);
  if (own.length === 0) return nothingToStop;
  if (own.length === 1 || which === "all") return { actions: [{ do: "stop", targets: own.map(nameOf) }] };
  const several = commandRefused(
    "SeveralRequests",
    "You have several unfinished requests in this channel. Say which one to stop: with its number or name after `stop`, with `stop all`, with the button of its report, or with `stop` in its thread.",
  );
  return withList(several, own.slice(0, maxOpen));
}

/** Whether the sender of a `stop` as a slash command has a request of their own in the channel that has not ended. */
export function hasOwnWorkInChannel(facts: Facts): boolean {
  return isSlashCommand(facts.task) && ownOpenWork(facts).length > 0;
}

const nothingToStop = commandSucceeded("NothingToStop", "You have no unfinished request in this channel.");

function stopNamed(facts: Facts, which: string): Decision<CommandAction> {
  const name = /^\d+$/.test(which) ? nameInList(facts, Number(which)) : which;
  if (name === undefined)
    return commandRefused(
      "UnknownRequest",
      `The last list that you saw in this channel has no request ${which}. Use \`status\` to see the list.`,
    );
  const work = visibleWork(facts).find(({ metadata }) => metadata.name === name);
  if (!work || !mayStop(facts, work))
    return commandRefused("UnknownRequest", `${name} is no request of this channel that you may stop.`);
  if (isOver(work)) return commandSucceeded("NothingToStop", `${name} has already ended.`);
  return { actions: [{ do: "stop", targets: [name] }] };
}

/** As in a thread: people who may ask for work may stop work, others only their own. */
function mayStop(facts: Facts, work: AgentTask): boolean {
  return conditionOf(facts.task, "Authorized")?.reason !== ownWorkOnly || isRequester(facts, work);
}

/** The name in the newest list that the sender saw in the channel: the numbers of a list stay valid until the next one is shown. */
function nameInList({ task, tasks }: Facts, number: number): string | undefined {
  const lists = tasks
    .inChannel(task)
    .filter(
      (other) =>
        other.status?.listed !== undefined && other.spec.actor.id === task.spec.actor.id && isBefore(other, task),
    );
  return lists.sort(newestFirst)[0]?.status?.listed?.[number - 1];
}

function ownOpenWork(facts: Facts): AgentTask[] {
  return workInChannel(facts).filter((work) => !isOver(work) && isRequester(facts, work));
}

function listed(facts: Facts, now: Date): { open: AgentTask[]; ended: AgentTask[] } {
  const visible = visibleWork(facts);
  const since = now.getTime() - recentlyMs;
  const isRecent = ({ status }: AgentTask): boolean => Date.parse(status?.completionTime ?? "") >= since;
  return {
    open: visible.filter((work) => !isOver(work)).slice(0, maxOpen),
    ended: visible.filter((work) => isOver(work) && isRecent(work)).slice(0, maxEnded),
  };
}

/** The work that the sender may see: their own, and work of the channel whose report is there. Work that was not authorised has none. */
function visibleWork(facts: Facts): AgentTask[] {
  const { task, tasks } = facts;
  const here = new Set(tasks.inChannel(task).map(nameOf));
  return workInChannel(facts).filter(
    (work) => (here.has(nameOf(work)) && holds(work, "Authorized")) || isRequester(facts, work),
  );
}

/** The work that was requested in the channel or belongs to a conversation of it, as a comment on its change at the code host does; newest first. */
function workInChannel({ task, tasks }: Facts): AgentTask[] {
  const here = tasks.inChannel(task).filter(isWork);
  const threads = new Map(here.map((work) => [conversationKey(work, conversationOf(work)), conversationOf(work)]));
  const beside = [...threads.values()].flatMap((conversation) => tasks.inConversation(task, conversation));
  const all = new Map([...here, ...beside].map((work) => [nameOf(work), work]));
  return [...all.values()].filter((work) => isWork(work) && isBefore(work, task)).sort(newestFirst);
}

function withList(decision: Decision<never>, found: readonly AgentTask[]): Decision<CommandAction> {
  return { ...decision, fields: { listed: found.map(nameOf) } };
}

function nameOf({ metadata }: AgentTask): string {
  return metadata.name;
}

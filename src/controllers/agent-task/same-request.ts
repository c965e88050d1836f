import type { TaskSource } from "../../api/agent-task.ts";
import type { AgentTask } from "../../api/kinds.ts";
import {
  conversationOf,
  holds,
  isDuplicate,
  isKubernetes,
  isOver,
  isStopping,
  isWork,
  receiptOf,
  byReceipt,
  sameRepository,
  wasRefused,
} from "./state.ts";
import { tasksOf } from "./conversation.ts";
import type { Decision, TaskFacts } from "./facts.ts";
import type { Step } from "./steps.ts";

/** A label, assignment or review request within this time of the creation of its issue or change belongs to the creation. */
const sameRequestMs = 10_000;

/**
 * Ends a task that asks for what another task already does: a person opens an issue that mentions the bot, with the label of a trigger on it.
 * GitHub sends two events with different causes, so their tasks are two. The first that is admitted wins; among those that are not admitted yet,
 * the order of the triggers in the spec decides. A refused task does not count: the author of an issue may not ask for work, and who labels it may.
 */
export const sameRequest: Step<undefined, never> = {
  name: "same-request",
  condition: "Succeeded",
  concerns: ({ task }) =>
    isAtCreation(task) && holds(task, "Authorized") && !holds(task, "Admitted") && !isOver(task) && !isStopping(task),
  gather: async () => undefined,
  decide: (facts) => decideSameRequest(facts),
  apply: async () => undefined,
};

/** Pure. */
export function decideSameRequest(facts: TaskFacts): Decision {
  const { task, tasks } = facts;
  const others = tasksOf(conversationOf(task), task, tasks).filter((other) => mayWin(other, task));
  const [winner] = [task, ...others].sort((a, b) => compare(a, b, facts));
  if (!winner || winner.metadata.uid === task.metadata.uid) return {};
  const { name } = winner.metadata;
  const at = winner.status?.report?.url;
  const message = `Task ${name} already does what this asks for${at ? `: ${at}` : ""}.`;
  return { conditions: [{ type: "Succeeded", status: "True", reason: "Duplicate", message }] };
}

/** Whether the task was requested with the creation of its issue or change. */
function isAtCreation(task: AgentTask): boolean {
  const { source, retryOf } = task.spec;
  if (!isWork(task) || retryOf !== undefined || isKubernetes(task)) return false;
  return isOfSubject(source) && (source.action === "opened" || sinceCreationMs(source) <= sameRequestMs);
}

function isOfSubject({ object }: TaskSource): boolean {
  return object?.type === "Issue" || object?.type === "Change";
}

/** Not a number for tasks of earlier versions, which have no time of creation. */
function sinceCreationMs({ subject, occurredAt }: TaskSource): number {
  return Date.parse(occurredAt ?? "") - Date.parse(subject.createdAt ?? "");
}

function mayWin(other: AgentTask, task: AgentTask): boolean {
  return (
    other.metadata.uid !== task.metadata.uid &&
    isAtCreation(other) &&
    isOfSameObject(other, task) &&
    holds(other, "Authorized") &&
    !wasRefused(other) &&
    !isDuplicate(other) &&
    (holds(other, "Admitted") || !isOver(other))
  );
}

function isOfSameObject(a: AgentTask, b: AgentTask): boolean {
  const [left, right] = [a.spec, b.spec];
  return (
    left.source.object?.type === right.source.object?.type &&
    left.source.object?.id === right.source.object?.id &&
    left.integrationRef.kind === right.integrationRef.kind &&
    left.integrationRef.name === right.integrationRef.name &&
    sameRepository(a, b)
  );
}

function compare(a: AgentTask, b: AgentTask, { integration }: TaskFacts): number {
  const order = ({ spec }: AgentTask): number => {
    const at = integration?.spec.triggers.findIndex(({ name }) => name === spec.source.trigger) ?? -1;
    return at < 0 ? Number.MAX_SAFE_INTEGER : at;
  };
  return (
    Number(holds(b, "Admitted")) - Number(holds(a, "Admitted")) ||
    order(a) - order(b) ||
    byReceipt(receiptOf(a), receiptOf(b))
  );
}

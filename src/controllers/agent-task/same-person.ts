import type { AgentTask } from "../../api/kinds.ts";
import type { TaskFacts } from "./facts.ts";
import type { TaskIndex } from "./task-index.ts";
import { isKubernetes, ownConversation, personAtCodeHost, requesterOf } from "./state.ts";

/** A retry may be a retry of another retry, and so on: the maximum depth that is followed. */
const maxRetryDepth = 16;

/**
 * Whether the sender of a command is proven to be a requester of the work, or of the work that it repeats: by the same id at the same place, or because both are the same
 * account at the code host. Without an entry in `spec.access.people` a person of a chat has no account there, and then nothing is proven.
 */
export function isRequester(facts: Pick<TaskFacts, "task" | "tasks" | "integrationOf">, work: AgentTask): boolean {
  return withOriginals(work, facts.tasks).some((one) => isRequesterOf(one, facts));
}

/** A repeated task and those that it repeats: the first of them has the words of its requester. */
function withOriginals(work: AgentTask, tasks: TaskIndex): AgentTask[] {
  const chain = [work];
  for (let last = work; last.spec.retryOf !== undefined && chain.length <= maxRetryDepth;) {
    const original = tasks.get({ namespace: work.metadata.namespace, name: last.spec.retryOf.name });
    if (!original) break;
    chain.push(original);
    last = original;
  }
  return chain;
}

function isRequesterOf(
  work: AgentTask,
  { task: command, integrationOf }: Pick<TaskFacts, "task" | "integrationOf">,
): boolean {
  const [requester, sender] = [requesterOf(work), command.spec.actor];
  if (samePlace(work, command) && requester.id === sender.id) return true;
  const account = accountOf(work, requester, integrationOf);
  return account !== undefined && account.id === accountOf(command, sender, integrationOf)?.id;
}

/** The account at the code host of a person whom a task names. A person of Kubernetes has none, whatever id the task names. */
export function accountOf(
  task: AgentTask,
  person: { id: string; login: string },
  integrationOf: TaskFacts["integrationOf"],
): { id: string; login: string } | undefined {
  return isKubernetes(task) ? undefined : personAtCodeHost(task, integrationOf(task), person);
}

/** Whether the ids of persons of two tasks come from the same place. */
function samePlace(a: AgentTask, b: AgentTask): boolean {
  if (a.spec.source.provider !== b.spec.source.provider) return false;
  return isKubernetes(a) || ownConversation(a).instance === ownConversation(b).instance;
}

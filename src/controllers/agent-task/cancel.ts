import type { AgentTask } from "../../api/kinds.ts";
import type { ConditionDraft, Decision, StatusFields, TaskFacts } from "./facts.ts";
import { isHeld } from "./publish/change-text.ts";
import type { Tip } from "./publish/decide.ts";
import { conditionOf, isDecided, isOver, proposedBy, repositoryOf, stopOf } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";
import { defined } from "../../shared/defined.ts";

/** The branch at the code host. It is read only after the end, so that no code host can delay the stop of a task. */
interface CancelReading {
  tip: Tip;
}

/** How long after the task's end the code host may still show a push that the broker let through before. */
const latePushMs = 60_000;
const lookAgainMs = 10_000;

/**
 * Ends a task that somebody stopped. The broker refuses pushes of tasks that have ended, and clean-up removes the pod. Afterwards the step
 * checks for a push that was forwarded before the stop, so that each of our branches belongs to a task that records it.
 */
export const cancel: Step<CancelReading, never> = {
  name: "cancel",
  concerns: ({ task }, now) => stopOf(task) !== undefined && (!isOver(task) || mayHavePushed(task, now)),
  gather: async (context) => ({ tip: isOver(context.facts.task) ? await readTip(context) : undefined }),
  decide: (facts, { tip }) => (isOver(facts.task) ? recordLatePush(facts, tip) : cancelTask(facts.task)),
  apply: async () => undefined,
};

function cancelTask(task: AgentTask): Decision<never> {
  const stop = stopOf(task);
  const why = stop?.reason ? `: ${stop.reason}` : "";
  const message = `Stopped by ${stop?.by ?? "somebody"}${why}.`;
  return {
    conditions: [{ type: "Succeeded", status: "False", reason: "Cancelled", message }],
    fields: { publish: undefined },
  };
}

function mayHavePushed(task: AgentTask, now: Date): boolean {
  const { completionTime, result } = task.status ?? {};
  return (
    conditionOf(task, "Succeeded")?.reason === "Cancelled" &&
    proposedBy(task) !== undefined &&
    result?.commit === undefined &&
    now.getTime() < Date.parse(completionTime ?? "") + latePushMs
  );
}

async function readTip(context: StepContext): Promise<Tip> {
  const { task } = context.facts;
  const repository = repositoryOf(task);
  const branch = task.status?.checkout?.headRef;
  if (!repository || branch === undefined) return undefined;
  return (await context.codeHost()).branch(repository, branch, context.signal);
}

function recordLatePush(facts: TaskFacts, tip: Tip): Decision<never> {
  const { task } = facts;
  const commit = proposedBy(task)?.newId;
  if (commit === undefined || tip?.sha !== commit) return { requeueAfterMs: lookAgainMs };
  const before = conditionOf(task, "Succeeded")?.message ?? "";
  const message = `${before} Its work was pushed before that: \`${task.status?.checkout?.headRef}\` is at ${commit.slice(0, 7)}.`;
  return {
    conditions: [{ type: "Succeeded", status: "False", reason: "Cancelled", message }, ...reopenReport(task)],
    fields: { result: resultWith(commit, facts) },
  };
}

/** Records the pushed commit. No text of a change was updated, so the report must explain that the checks of this commit are held. */
function resultWith(commit: string, { task, profile }: TaskFacts): StatusFields["result"] {
  const branch = task.status?.checkout?.headRef;
  return {
    ...task.status?.result,
    ...defined({ branch }),
    commit,
    ...(profile && isHeld(profile) ? { heldUnsaid: true } : {}),
  };
}

/** Opens a final report again, because it does not mention the push. */
function reopenReport(task: AgentTask): ConditionDraft[] {
  if (!isDecided(task, "Reported")) return [];
  const message = "The work was pushed before the task was stopped, but the report does not say so yet.";
  return [{ type: "Reported", status: "Unknown", reason: "MoreToTell", message }];
}

import type { AgentTask } from "../../api/kinds.ts";
import type { Decision } from "./facts.ts";
import { proposedBy, type Tip } from "./publish/judge.ts";
import { conditionOf, isOver, stopOf } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

/** What the host shows of the branch; read after the end only, so that no host keeps a task from stopping. */
interface CancelReading {
  tip: Tip;
}

/** How long after the end a push that the broker had let through before may still turn up at the host. */
const settleMs = 60_000;
const lookAgainMs = 10_000;

/**
 * Ends a task that somebody stopped. The end is the fence: the broker refuses pushes of tasks that are over; clean-up removes the pod.
 * What was pushed before is looked for afterwards, so that no branch of ours is there without a task that knows it.
 */
export const cancel: Step<CancelReading, never> = {
  name: "cancel",
  concerns: ({ task }, now) => stopOf(task) !== undefined && (!isOver(task) || mayHavePushed(task, now)),
  gather: async (context) => ({ tip: isOver(context.facts.task) ? await readTip(context) : undefined }),
  decide: ({ task }, { tip }) => (isOver(task) ? settle(task, tip) : end(task)),
  apply: async () => undefined,
};

function end(task: AgentTask): Decision<never> {
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
    now.getTime() < Date.parse(completionTime ?? "") + settleMs
  );
}

async function readTip(context: StepContext): Promise<Tip> {
  const { task } = context.facts;
  const { repository } = task.spec;
  const branch = task.status?.checkout?.headRef;
  if (!repository || branch === undefined) return undefined;
  return (await context.connection()).codeHost?.branch(repository, branch, context.signal);
}

function settle(task: AgentTask, tip: Tip): Decision<never> {
  const { checkout, result } = task.status ?? {};
  const commit = proposedBy(task)?.newId;
  if (commit === undefined || tip?.sha !== commit) return { requeueAfterMs: lookAgainMs };
  const branch = checkout?.headRef;
  const said = conditionOf(task, "Succeeded")?.message ?? "";
  const message = `${said} Its work had been pushed: \`${branch}\` is at ${commit.slice(0, 7)}.`;
  return {
    conditions: [{ type: "Succeeded", status: "False", reason: "Cancelled", message }],
    fields: { result: { ...result, ...(branch === undefined ? {} : { branch }), commit } },
  };
}

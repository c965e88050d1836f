import { cutCharacters } from "../../intake/cut-text.ts";
import { aheadOf, unready } from "./admission/requirements.ts";
import type { Decision, TaskFacts } from "./facts.ts";
import { conditionOf, holds, isAtWork, isOver, mayQueue, newestAttempt } from "./state.ts";
import type { Step } from "./steps.ts";

/** Maximum length of `queue.limit` in the schema; the name of a Kubernetes user alone may reach it. */
const maxLimit = 253;

/** Writes the admission loop's verdict to the status. The loop counts the task from its own decision on, not from this write. */
export const admit: Step<undefined, never> = {
  name: "admit",
  condition: "Admitted",
  concerns: (facts) =>
    mayQueue(facts.task) && !isOver(facts.task) && (!holds(facts.task, "Admitted") || losesPlace(facts)),
  gather: async () => undefined,
  decide: (facts, _reading, now) => decideAdmission(facts, now),
  apply: async () => undefined,
};

/**
 * Whether the integration or code host of a task was deleted before its first attempt. It gives up its place: nobody knows how long they will be
 * missing, and others wait for the place. A suspended code host or a changed profile does not stop a task that has its place.
 */
function losesPlace({ task, integration, codeHostIntegration }: TaskFacts): boolean {
  return isAtWork(task) && newestAttempt(task) === undefined && !(integration && codeHostIntegration);
}

function decideAdmission(facts: TaskFacts, now: Date): Decision {
  const { task, admission } = facts;
  const problem = unready(facts);
  // A task that had its place is prepared again when it is admitted again.
  if (problem)
    return { ...notYet(problem.reason, problem.message), drop: ["ContextReady"], fields: { queue: undefined } };
  if (admission.state === "Unknown")
    return conditionOf(task, "Admitted")
      ? {}
      : notYet("Queued", "Waiting for the next check of the concurrency limits.");
  if (admission.state === "Admitted") {
    return {
      conditions: [{ type: "Admitted", status: "True", reason: "Admitted", message: "Within all concurrency limits." }],
      fields: { queue: undefined },
    };
  }
  const { position, limit, reason } = admission;
  return {
    ...notYet(reason, `Queued, ${aheadOf(position)}: ${limit}.`),
    fields: {
      queue: { position, limit: cutCharacters(limit, maxLimit), since: task.status?.queue?.since ?? now.toISOString() },
    },
  };
}

function notYet(reason: string, message: string): Decision {
  return { conditions: [{ type: "Admitted", status: "False", reason, message }] };
}

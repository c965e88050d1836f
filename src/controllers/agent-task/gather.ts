import type { AgentTask } from "../../api/kinds.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { TaskFacts } from "./facts.ts";
import { holds, isOver, isWork, newestAttempt } from "./state.ts";

/** Gathers the facts of a task from caches and memory; makes no call. */
export function gatherFacts(deps: AgentTaskDeps, task: AgentTask): TaskFacts {
  const { namespace } = task.metadata;
  const attempt = newestAttempt(task);
  const waits = isWork(task) && holds(task, "Authorized") && !holds(task, "Admitted") && !isOver(task);
  return {
    task,
    integration: deps.findIntegration({ ...task.spec.integrationRef, namespace })?.integration,
    profile: deps.profiles.get({ namespace, name: task.spec.profileRef.name }),
    guardrails: deps.config.guardrails,
    tasks: deps.tasks,
    sandbox: attempt ? deps.sandbox.observe(task, attempt.number) : undefined,
    admission: waits ? deps.admission.verdict(task) : { state: "Unknown" },
  };
}

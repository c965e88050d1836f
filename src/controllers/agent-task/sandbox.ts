import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import { BellhopError, errorCode } from "../../shared/errors.ts";
import { unreadyProfile } from "./admission/requirements.ts";
import { renderContext, renderPrompt } from "./context.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { Decision, StatusPatch, TaskFacts } from "./facts.ts";
import { readContext } from "./prepare.ts";
import { deadlineMs, sandboxSpecOf, wallClockMs } from "./spec.ts";
import { holds, isAtWork, isStopping, isOver, newestAttempt, type Attempt } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

/** Create the pod of an attempt that is already in the status. */
interface CreateSandbox {
  attempt: number;
}

/** How long to wait before the creation of a pod is retried. */
const retryMs = 15_000;

/** Writes an attempt to the status, then creates its pod. An operator that is killed in between finds the attempt and creates the same pod, or adopts it. */
export const sandbox: Step<{ podName: string }, CreateSandbox> = {
  name: "sandbox",
  condition: "SandboxReady",
  concerns: ({ task }) => isAtWork(task) && holds(task, "ContextReady") && !task.status?.publish && needsPod(task),
  gather: async ({ deps, facts }) => ({ podName: deps.sandbox.podName(facts.task, nextNumber(facts.task)) }),
  decide: (facts, { podName }, now) => decideSandbox(facts, podName, now),
  apply: create,
};

/**
 * Whether a pod must be created: there is no attempt, the newest attempt has no pod, or it ended and can be retried (otherwise the task
 * would have ended).
 */
function needsPod(task: AgentTask): boolean {
  const attempt = newestAttempt(task);
  return attempt === undefined || attempt.podUID === undefined || attempt.reason !== undefined;
}

function nextNumber(task: AgentTask): number {
  return (newestAttempt(task)?.number ?? 0) + 1;
}

function decideSandbox(facts: TaskFacts, podName: string, now: Date): Decision<CreateSandbox> {
  const { task, profile } = facts;
  if (!profile) {
    const message = `AgentProfile ${task.spec.profileRef.name} does not exist in this namespace; the task waits until it is created.`;
    return { conditions: [{ type: "SandboxReady", status: "Unknown", reason: "ProfileNotFound", message }] };
  }
  const deadline = deadlineMs(task, profile);
  if (deadline !== undefined && deadline <= now.getTime()) return outOfTime(task, profile);
  const problem = unreadyProfile(facts);
  if (problem) return notReady(problem);
  const open = newestAttempt(task);
  if (open && open.reason === undefined) {
    return { actions: [{ attempt: open.number }], requeueAfterMs: retryMs };
  }
  const attempt: Attempt = { number: nextNumber(task), podName };
  return {
    conditions: [{ type: "SandboxReady", status: "False", reason: "Creating", message: `Creating pod ${podName}.` }],
    fields: { attempts: [...(task.status?.attempts ?? []), attempt] },
    actions: [{ attempt: attempt.number }],
    requeueAfterMs: retryMs,
  };
}

/** Waits for a profile that is not ready: it may change while its task waits, and between two attempts. */
function notReady({ reason, message }: { reason: string; message: string }): Decision<never> {
  return {
    conditions: [
      { type: "SandboxReady", status: "False", reason, message: `${message}. The task waits until it is ready.` },
    ],
    requeueAfterMs: retryMs,
  };
}

function outOfTime(task: AgentTask, profile: AgentProfile): Decision<never> {
  const minutes = Math.round(wallClockMs(task, profile) / 60_000);
  const message = `The task reached its time limit (${minutes} min for all attempts together) before its sandbox could start.`;
  return { conditions: [{ type: "Succeeded", status: "False", reason: "WallClockExceeded", message }] };
}

async function create(context: StepContext, { attempt }: CreateSandbox): Promise<StatusPatch | undefined> {
  const live = await context.live();
  const written = newestAttempt(live);
  if (!written || written.number !== attempt || written.podUID !== undefined || isOver(live) || isStopping(live)) {
    return undefined;
  }
  // The facts are newer than those of the decision.
  const problem = unreadyProfile(context.facts);
  if (problem) return notReady(problem);
  try {
    const { podUID } = await ensurePod(context, live, written);
    return withPod(context.facts.task, { number: attempt, podUID, startedAt: context.deps.clock.now().toISOString() });
  } catch (error) {
    return createFailure(error);
  }
}

async function ensurePod(context: StepContext, live: AgentTask, attempt: Attempt): Promise<{ podUID: string }> {
  const { deps, facts, signal } = context;
  const { profile, codeHostIntegration } = facts;
  const host = await context.codeHost();
  if (!profile || !codeHostIntegration)
    throw new BellhopError(
      "SandboxIncomplete",
      "The task's profile, integration or code host does not exist any more.",
    );
  await deps.credentials.ensureFetch(live, host, signal);
  const remainingMs = remainingOf(deps, live, profile);
  const spec = sandboxSpecOf({
    task: live,
    profile,
    integration: facts.integration,
    bot: codeHostIntegration.status?.bot,
    // The attempt's immutable ConfigMap keeps the first date for a pod that is created again.
    attempt: { number: attempt.number, date: deps.clock.now().toISOString() },
    host,
    egress: await deps.egress(signal),
    brokerURL: deps.config.brokerURL,
    remainingMs,
  });
  const [prompt, text] = [renderPrompt(live), renderContext(live, await readContext(context))];
  return deps.sandbox.ensure(
    { task: live, profile, attempt: attempt.number, spec, prompt, context: text, remainingMs },
    signal,
  );
}

function remainingOf(deps: AgentTaskDeps, task: AgentTask, profile: AgentProfile): number {
  const nowMs = deps.clock.now().getTime();
  return Math.max(1_000, (deadlineMs(task, profile) ?? nowMs + wallClockMs(task, profile)) - nowMs);
}

/** Records the pod. The task's time starts with its first pod, because a task may wait a long time for quota. */
function withPod(task: AgentTask, pod: { number: number; podUID: string; startedAt: string }): StatusPatch {
  const { attempts = [], startTime = pod.startedAt } = task.status ?? {};
  return {
    fields: {
      attempts: attempts.map((attempt) => (attempt.number === pod.number ? { ...attempt, ...pod } : attempt)),
      startTime,
    },
  };
}

/** Handles a failed creation: waits for an exceeded quota, ends the task if the cluster refuses the pod for good, and leaves other errors to the frame, which retries. */
function createFailure(error: unknown): StatusPatch {
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : "";
  if (code === "QuotaExceeded") {
    const waits = `Waiting for quota: ${message}`;
    return { conditions: [{ type: "SandboxReady", status: "False", reason: code, message: waits }] };
  }
  if (code === "PodRefused" || code === "PodNameTaken") {
    return {
      conditions: [
        { type: "SandboxReady", status: "False", reason: code, message },
        { type: "Succeeded", status: "False", reason: code, message },
      ],
    };
  }
  throw error;
}

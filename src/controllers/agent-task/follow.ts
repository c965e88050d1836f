import { durationMs } from "../../api/duration.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { CourierOutcome } from "../../sandbox/protocol/outcome.ts";
import type { SandboxState } from "../../sandbox/provider.ts";
import type { ConditionDraft, Decision, TaskFacts } from "./facts.ts";
import { deadlineMs, wallClockMs } from "./spec.ts";
import { conditionOf, isAtWork, newestAttempt, type Attempt } from "./state.ts";
import type { Step } from "./steps.ts";

/** The configuration and the state of the network that the decision needs. */
export interface FollowReading {
  maxAttempts: number;
  publishBudgetMs: number;
  /** Resources that the sandbox backend does not isolate. */
  notIsolated: readonly string[];
  /** Whether the network of a running sandbox is still isolated as it was at its creation. */
  closed: boolean;
}

/** Remove a lost sandbox before the next attempt starts. */
export interface DropSandbox {
  attempt: number;
}

/** How long a new pod may be missing from the cache. */
const unseenMs = 60_000;
const lookAgainMs = 10_000;

/** Watches the sandbox and ends the task when the sandbox ends. After a push was allowed, the publish step does this. */
export const follow: Step<FollowReading, DropSandbox> = {
  name: "follow",
  condition: "SandboxReady",
  concerns({ task }) {
    const attempt = newestAttempt(task);
    return isAtWork(task) && !task.status?.publish && attempt?.podUID !== undefined && attempt.reason === undefined;
  },
  async gather({ deps: { config, sandbox }, facts, signal }) {
    const closed = facts.sandbox?.state !== "Running" || (await sandbox.closed(facts.task, signal));
    return { ...config, notIsolated: sandbox.notIsolated, closed };
  },
  decide(facts, reading, now) {
    const attempt = newestAttempt(facts.task);
    if (!attempt || !facts.profile || !facts.sandbox) return {};
    return decideFromSandbox({ ...facts, profile: facts.profile, sandbox: facts.sandbox, attempt, ...reading }, now);
  },
  async apply({ deps, facts, signal }, { attempt }) {
    await deps.sandbox.remove(facts.task, attempt, 5, signal);
    await deps.sandbox.harvested(facts.task, attempt, signal);
    return undefined;
  },
};

interface Watched extends TaskFacts, FollowReading {
  profile: AgentProfile;
  sandbox: SandboxState;
  attempt: Attempt;
}

function decideFromSandbox(watched: Watched, now: Date): Decision<DropSandbox> {
  const { sandbox, attempt } = watched;
  if (sandbox.state === "Missing") return missing(watched, now);
  if (sandbox.podUID !== attempt.podUID) {
    return failed("SandboxLost", `Pod ${attempt.podName} is not the pod that Bellhop created; somebody replaced it.`);
  }
  if (sandbox.state === "Pending") return pending(watched, sandbox, now);
  if (sandbox.state === "Running") return running(watched, now);
  if (sandbox.state === "Finished") return finished(attempt, sandbox.outcome);
  return broken(watched, sandbox, now);
}

function missing({ attempt }: Watched, now: Date): Decision<never> {
  const sinceMs = now.getTime() - Date.parse(attempt.startedAt ?? now.toISOString());
  if (sinceMs < unseenMs) return { requeueAfterMs: lookAgainMs };
  return failed(
    "SandboxLost",
    `Pod ${attempt.podName} does not exist any more and left no result; somebody deleted it by force.`,
  );
}

function pending(watched: Watched, state: SandboxState & { state: "Pending" }, now: Date): Decision<never> {
  const { limits } = watched.profile.spec;
  const leftMs = Date.parse(state.since) + durationMs(limits.pending) - now.getTime();
  const reason = state.reason ?? "Pending";
  if (leftMs <= 0) {
    return failed("SandboxPending", `The sandbox did not start within ${limits.pending}: ${state.message}`);
  }
  const message = `Waiting to start: ${state.message}`;
  return { conditions: [{ type: "SandboxReady", status: "False", reason, message }], requeueAfterMs: leftMs };
}

/** Checks the network and the time limit. The courier enforces the time limit itself; this check is for a courier that does not. */
function running(watched: Watched, now: Date): Decision<never> {
  const { task, profile, publishBudgetMs, attempt } = watched;
  if (!watched.closed) {
    return failed(
      "NetworkPolicyChanged",
      "The NetworkPolicy that isolates the sandbox was changed or deleted while the agent was running, so Bellhop stopped the sandbox. Check who can change NetworkPolicies in this namespace, then use the command `retry`.",
    );
  }
  const deadline = deadlineMs(task, profile) ?? now.getTime() + wallClockMs(task, profile);
  const leftMs = deadline + publishBudgetMs - now.getTime();
  if (leftMs <= 0) {
    return failed("WallClockExceeded", "The task reached its time limit, and its sandbox did not end by itself.");
  }
  const reason = watched.notIsolated.length > 0 ? "NotIsolated" : "Running";
  const message = [`Pod ${attempt.podName} is running.`, ...warnings(watched)].join(" ");
  return {
    conditions: [{ type: "SandboxReady", status: "True", reason, message }],
    requeueAfterMs: leftMs,
  };
}

/** Lists the missing isolation of this sandbox; shown for every task. */
function warnings({ notIsolated, profile }: Watched): string[] {
  return [
    ...(notIsolated.length > 0 ? [`Not isolated: ${notIsolated.join(", ")}.`] : []),
    ...(profile.spec.sandbox.acceptOwnNode ? ["The profile accepts that the pod can reach its own node."] : []),
  ];
}

function finished(attempt: Attempt, outcome: CourierOutcome): Decision<never> {
  if (outcome.attempt !== attempt.number) {
    return failed(
      "OutcomeInvalid",
      `The result of pod ${attempt.podName} is for attempt ${outcome.attempt}, but the pod belongs to attempt ${attempt.number}.`,
    );
  }
  if (outcome.reason === "NoChanges") {
    return { conditions: [ended("NoChanges", outcome), succeeded("NoChanges", outcome.message)] };
  }
  if (outcome.reason === "Published") {
    const message = "The courier reported a push, but no push was allowed or the code host does not show it.";
    return failed("PublishNotVerified", message);
  }
  return failed(outcome.reason, outcome.message);
}

/** Retries only if the cluster removed the pod and there is time and another attempt left; failures of the task itself are final. */
function broken(
  { attempt, task, profile, maxAttempts }: Watched,
  state: SandboxState & { state: "Broken" },
  now: Date,
): Decision<DropSandbox> {
  const { reason, message } = state;
  const inTime = (deadlineMs(task, profile) ?? Number.POSITIVE_INFINITY) > now.getTime();
  if (!state.retryable || !inTime) return failed(reason, message);
  if (attempt.number >= maxAttempts)
    return failed(reason, `All ${maxAttempts} attempts failed. The last one: ${message}`);
  return {
    conditions: [{ type: "SandboxReady", status: "False", reason, message: `Trying again: ${message}` }],
    fields: { attempts: withEnd(task, attempt, reason, message) },
    actions: [{ attempt: attempt.number }],
    requeueAfterMs: 0,
  };
}

function withEnd(task: AgentTask, { number }: Attempt, reason: string, message: string): Attempt[] {
  const end = { reason: reason.slice(0, 64), message: message.slice(0, 1024) };
  return (task.status?.attempts ?? []).map((attempt) => (attempt.number === number ? { ...attempt, ...end } : attempt));
}

function failed(reason: string, message: string): Decision<never> {
  return {
    conditions: [
      { type: "SandboxReady", status: "False", reason, message },
      { type: "Succeeded", status: "False", reason, message },
    ],
  };
}

function ended(reason: string, { message }: CourierOutcome): ConditionDraft {
  return { type: "SandboxReady", status: "False", reason, message };
}

function succeeded(reason: string, message: string): ConditionDraft {
  return { type: "Succeeded", status: "True", reason, message };
}

/** Whether the operator itself ended the task while its pod may still run: then the pod is removed at once. */
export function endedByOperator(task: AgentTask): boolean {
  const reason = conditionOf(task, "Succeeded")?.reason ?? "";
  return operatorReasons.has(reason);
}

const operatorReasons = new Set([
  "Cancelled",
  "WallClockExceeded",
  "SandboxPending",
  "SandboxLost",
  "PodRefused",
  "RepositoryGone",
  "NetworkPolicyChanged",
]);

import type { AgentTask } from "../../../api/kinds.ts";
import type { ProviderError } from "../../../integrations/errors.ts";
import type { SandboxState } from "../../../sandbox/provider.ts";
import { retryCondition } from "../../provider-failure.ts";
import type { Decision, TaskFacts } from "../facts.ts";
import { conditionOf } from "../state.ts";
import { clearRetryCondition } from "../status.ts";
import { judgeProposal, proposedBy, type Tip } from "./judge.ts";

/** The target branch as the code host shows it; `failure` if it could not be read. */
export interface Reading {
  tip: Tip;
  failure?: ProviderError;
}

/** Allow the push, or end the task after it. */
export type Action = "allowPush" | "conclude";

/** How often the code host is read during a push; couriers push within a second or two. */
const pushingMs = 1_500;
/** How long a code host may take to show a push that the courier reported. */
const unseenMs = 30_000;
const failingMs = 15_000;
/** How long a code host must answer that the repository does not exist before the task fails; replicas and permissions can lag behind. */
const goneMs = 60_000;

/** Decides what to do with a proposal. Pure. A sandbox that ended without a push is handled by the follow step. */
export function decide(facts: TaskFacts, reading: Reading, now: Date): Decision<Action> {
  const { task, profile, sandbox } = facts;
  const proposed = proposedBy(task);
  if (!proposed || !profile) return {};
  if (reading.failure) return unreadable(facts, reading.failure, now);
  if (task.status?.publish) return pushing(facts, reading.tip, now);
  if (hasEnded(sandbox)) return clearRetryCondition(task);
  const verdict = judgeProposal(task, profile, proposed, reading.tip);
  if (!verdict.ok)
    return { conditions: [{ type: "Succeeded", status: "False", reason: verdict.reason, message: verdict.message }] };
  return { fields: { publish: verdict.publish }, actions: ["allowPush"], requeueAfterMs: pushingMs };
}

/** Decides after a push was allowed: only the code host shows whether it happened. */
function pushing({ task, sandbox }: TaskFacts, tip: Tip, now: Date): Decision<Action> {
  if (tip?.sha === task.status?.publish?.newId) return { actions: ["conclude"] };
  if (!hasEnded(sandbox)) return { actions: ["allowPush"], requeueAfterMs: pushingMs };
  const saysPublished = sandbox?.state === "Finished" && sandbox.outcome.reason === "Published";
  if (saysPublished && unseenForMs(task, now) < unseenMs) {
    const message = "The courier reported a push; the code host does not show it yet.";
    return {
      conditions: [{ type: "SandboxReady", status: "False", reason: notSeen, message }],
      requeueAfterMs: pushingMs,
    };
  }
  return { ...clearRetryCondition(task), fields: { publish: undefined }, requeueAfterMs: 0 };
}

const notSeen = "PushNotSeen";

function unseenForMs(task: AgentTask, now: Date): number {
  const condition = conditionOf(task, "SandboxReady");
  return condition?.reason === notSeen ? now.getTime() - Date.parse(condition.lastTransitionTime) : 0;
}

/** Waits while the sandbox waits, but only a minute if the repository is missing; then the task ends with the code host's answer. */
function unreadable({ task, sandbox }: TaskFacts, failure: ProviderError, now: Date): Decision<never> {
  const over = hasEnded(sandbox);
  if (over && !task.status?.publish) return {};
  const message = `Could not read the branch at the code host: ${failure.message}`;
  const gone = failure.failure === "NotFound";
  if (over || (gone && saidForMs(task, failure.failure, now) >= goneMs)) {
    const reason = gone ? "RepositoryGone" : "PublishUnreachable";
    return { conditions: [{ type: "Succeeded", status: "False", reason, message }] };
  }
  return {
    // A condition with another reason has its own start time, which does not count for this failure.
    ...(conditionOf(task, "Succeeded")?.reason === failure.failure ? {} : { drop: ["Succeeded"] }),
    conditions: [{ type: "Succeeded", ...retryCondition({ code: failure.failure, message }) }],
    requeueAfterMs: failingMs,
  };
}

function saidForMs(task: AgentTask, reason: string, now: Date): number {
  const condition = conditionOf(task, "Succeeded");
  return condition?.reason === reason ? now.getTime() - Date.parse(condition.lastTransitionTime) : 0;
}

function hasEnded(sandbox: SandboxState | undefined): boolean {
  return sandbox !== undefined && ["Finished", "Broken", "Missing"].includes(sandbox.state);
}

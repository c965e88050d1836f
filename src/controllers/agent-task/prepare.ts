import type { AgentTask } from "../../api/kinds.ts";
import type { ContextItem } from "../../integrations/connection.ts";
import { resolveCheckout, type CheckoutResolution } from "./checkout.ts";
import type { Decision } from "./facts.ts";
import { isAtWork, isDecided, repositoryOf, targetOf } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";

/** Maximum size of the conversation that is read from a provider; the rendered text has its own limit. */
const budgetBytes = 256 * 1024;

/** Providers' times are in whole seconds, and items that belong together are stored within two seconds. */
const settlesMs = 2_000;

/** The checkout and the conversation of a task, as the provider shows them now. */
export interface PrepareReading {
  resolution: CheckoutResolution;
  items: readonly Pick<ContextItem, "kind">[];
}

/**
 * Resolves the checkout and reads the conversation. It runs after admission, unlike the check of the sender: the branch of a conversation's
 * next task is known only after the task before it has pushed, and a task that was queued for an hour should not start from an old commit.
 */
export const prepare: Step<PrepareReading | undefined, never> = {
  name: "prepare",
  condition: "ContextReady",
  concerns: ({ task }) => isAtWork(task) && !isDecided(task, "ContextReady"),
  gather: readCheckoutAndContext,
  decide: (_facts, reading) => (reading ? decideContextReady(reading) : {}),
  apply: async () => undefined,
};

async function readCheckoutAndContext(context: StepContext): Promise<PrepareReading | undefined> {
  const { task, tasks, profile, codeHostIntegration } = context.facts;
  const repository = repositoryOf(task);
  if (!profile || !repository) return undefined;
  const host = await context.codeHost();
  const botId = codeHostIntegration?.status?.bot?.id;
  const resolution = await resolveCheckout({ task, tasks, profile, botId, repository, host, signal: context.signal });
  return { resolution, items: resolution.ok ? await readContext(context) : [] };
}

/**
 * Reads the conversation up to the request; empty if the task has no issue or change. A task from kubectl names any thread, and only at the
 * code host is it covered by the check of the repository.
 */
export async function readContext(context: StepContext): Promise<ContextItem[]> {
  const { task } = context.facts;
  const { source: from, codeHostRef } = task.spec;
  if (from.provider === "kubernetes" && (from.subject.number === undefined || codeHostRef)) return [];
  const { source } = await context.connection();
  const until = contextUntil(task);
  return source.gather(targetOf(task), { until, budgetBytes }, context.signal);
}

/**
 * End of a task's context: the time of the request by the provider's clock, because a delivery may arrive hours late. Items that the provider
 * stores a moment later (a review's comments) belong to it if they existed when the delivery arrived. Pure.
 */
export function contextUntil({ metadata, spec }: AgentTask): Date {
  const createdMs = Date.parse(metadata.creationTimestamp ?? "") || 0;
  // Do not trust times in a task from kubectl: its author wrote them.
  if (spec.source.provider === "kubernetes") return new Date(createdMs);
  const { occurredAt, receivedAt } = spec.source;
  const receivedMs = receivedAt === undefined ? createdMs : Date.parse(receivedAt);
  if (occurredAt === undefined) return new Date(receivedMs);
  const occurredMs = Date.parse(occurredAt);
  return new Date(Math.max(occurredMs, Math.min(receivedMs, occurredMs + settlesMs)));
}

function decideContextReady({ resolution, items }: PrepareReading): Decision {
  if (!resolution.ok) {
    const { reason, message } = resolution;
    return {
      conditions: [
        { type: "ContextReady", status: "False", reason, message },
        { type: "Succeeded", status: "False", reason, message },
      ],
    };
  }
  const { checkout } = resolution;
  const from =
    checkout.headSHA === undefined ? "no commit (the repository is empty)" : `\`${checkout.headSHA.slice(0, 7)}\``;
  const start = checkout.newBranch ? `based on \`${checkout.baseRef ?? ""}\` at ${from}` : `which is at ${from}`;
  const gone =
    checkout.goneBaseRef === undefined
      ? ""
      : ` The base \`${checkout.goneBaseRef}\` does not exist any more, so the change goes into \`${checkout.baseRef ?? ""}\`.`;
  const message = `Read ${describe(items)}; works on branch \`${checkout.headRef ?? ""}\`, ${start}.${gone}`;
  return {
    conditions: [{ type: "ContextReady", status: "True", reason: "Gathered", message }],
    fields: { checkout },
  };
}

function describe(items: PrepareReading["items"]): string {
  const comments = items.filter(({ kind }) => kind !== "title" && kind !== "body").length;
  if (items.length === 0) return "the request";
  return comments === 1 ? "the description and 1 comment" : `the description and ${comments} comments`;
}

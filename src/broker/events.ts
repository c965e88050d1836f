import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { AgentEvent, EventBatch } from "../sandbox/protocol/channel.ts";
import { defined } from "../shared/defined.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";

/** What taking events needs. */
export interface EventsDeps {
  client: KubeClient;
  clock: Clock;
  /** Gets the agent's messages. */
  log: Pick<Logger, "info">;
}

type Progress = NonNullable<NonNullable<AgentTask["status"]>["progress"]>;

/**
 * Folds a batch into `status.progress`, the agent's last words into `status.result.summary`, and its messages into the log. Couriers send
 * a batch every 5 s at most, so one write a batch is bounded. What was taken already (`sequence` and what is stored tell) changes nothing.
 */
export async function takeEvents(
  deps: EventsDeps,
  grant: Grant,
  batch: EventBatch,
  signal: AbortSignal,
): Promise<void> {
  const task = await requireFence(deps.client, grant, signal);
  const { progress: stored } = task.status ?? {};
  const progress = foldProgress(stored, { ...batch, attempt: grant.attempt }, deps.clock.now());
  if (!progress) return;
  const summary = lastSummary(batch.events);
  const status = {
    progress: { ...(stored?.attempt === grant.attempt ? {} : nothingTold), ...progress },
    ...(summary === undefined ? {} : { result: { summary } }),
  };
  // The resource version makes the fence hold until the write.
  const metadata = { resourceVersion: task.metadata.resourceVersion };
  await deps.client.mergePatch(AgentTaskKind, key(grant), { metadata, status }, { subresource: "status", signal });
  // Only now: a batch that is sent again because this write failed is told once.
  const { namespace, task: name, attempt } = grant;
  for (const text of newMessages(stored, { ...batch, attempt })) {
    deps.log.info({ namespace, task: name, attempt, text }, "the agent says");
  }
}

/** Bounded by the protocol: 4,096 characters each, and 8 MiB of events an attempt. */
function newMessages(stored: Progress | undefined, batch: EventBatch & { attempt: number }): string[] {
  const taken = stored?.attempt === batch.attempt ? (stored.events ?? 0) : 0;
  const fresh = batch.events.slice(Math.max(0, taken - batch.sequence));
  return fresh.flatMap((event) => (event.type === "message" ? [event.text] : []));
}

/** A merge patch keeps what it does not name: an earlier attempt's words must not shine through. */
const nothingTold = { step: null, checklist: null };

/**
 * The progress after a batch, or undefined where the batch was counted before. `events` counts the events of the attempt up to the batch's
 * end; a new attempt begins anew.
 */
export function foldProgress(
  stored: Progress | undefined,
  batch: EventBatch & { attempt: number },
  now: Date,
): Progress | undefined {
  const before = stored?.attempt === batch.attempt ? stored : undefined;
  const end = batch.sequence + batch.events.length;
  if (before?.events !== undefined && end <= before.events) return undefined;
  return { attempt: batch.attempt, updatedAt: now.toISOString(), events: end, ...wordsAfter(before, batch.events) };
}

function wordsAfter(
  before: Progress | undefined,
  events: readonly AgentEvent[],
): Pick<Partial<Progress>, "step" | "checklist"> {
  const told = events.filter((event) => event.type === "progress");
  const step = told.at(-1)?.text ?? before?.step;
  const checklist = told.findLast((event) => event.checklist)?.checklist ?? before?.checklist;
  return defined({ step, checklist });
}

function lastSummary(events: readonly AgentEvent[]): string | undefined {
  const last = events.findLast((event) => event.type === "result");
  return last?.type === "result" ? last.summary : undefined;
}

function key(grant: Grant): { namespace: string; name: string } {
  return { namespace: grant.namespace, name: grant.task };
}

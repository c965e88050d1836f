import { AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import type { KubeClient } from "../kube/types.ts";
import type { AgentEvent, EventBatch } from "../sandbox/protocol/channel.ts";
import { defined } from "../shared/defined.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import type { Grant } from "./capability.ts";
import { requireFence } from "./fence.ts";

/** Dependencies of `recordEvents`. */
export interface EventsDeps {
  client: KubeClient;
  clock: Clock;
  /** Receives the messages of the agent. */
  log: Pick<Logger, "info">;
}

type Progress = NonNullable<NonNullable<AgentTask["status"]>["progress"]>;

/**
 * Records a batch of events: progress in `status.progress`, the agent's final summary in `status.result.summary`, and messages in the log.
 * Couriers send at most one batch every 5 s, so one write for each batch is bounded. A batch that is recorded already changes nothing; its
 * `sequence` is compared with the stored number of events.
 */
export async function recordEvents(
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
    progress: { ...(stored?.attempt === grant.attempt ? {} : emptyProgress), ...progress },
    ...(summary === undefined ? {} : { result: { summary } }),
  };
  // With the resource version the write fails if the task was changed after the fence was checked.
  const metadata = { resourceVersion: task.metadata.resourceVersion };
  await deps.client.mergePatch(AgentTaskKind, key(grant), { metadata, status }, { subresource: "status", signal });
  // Logged after the write: if the write fails, the batch is sent again, and each message must be logged only once.
  const { namespace, task: name, attempt } = grant;
  for (const text of newMessages(stored, { ...batch, attempt })) {
    deps.log.info({ namespace, task: name, attempt, text }, "the agent says");
  }
}

/** The messages that are not recorded yet. The protocol bounds them: 4,096 characters each, and 8 MiB of events for each attempt. */
function newMessages(stored: Progress | undefined, batch: EventBatch & { attempt: number }): string[] {
  const recorded = stored?.attempt === batch.attempt ? (stored.events ?? 0) : 0;
  const fresh = batch.events.slice(Math.max(0, recorded - batch.sequence));
  return fresh.flatMap((event) => (event.type === "message" ? [event.text] : []));
}

/** Clears the progress of an earlier attempt, because a merge patch keeps fields that it does not name. */
const emptyProgress = { step: null, checklist: null };

/**
 * The progress after a batch, or undefined if the batch is recorded already. `events` is the number of events of the attempt up to the end
 * of the batch; a new attempt starts at 0.
 */
export function foldProgress(
  stored: Progress | undefined,
  batch: EventBatch & { attempt: number },
  now: Date,
): Progress | undefined {
  const before = stored?.attempt === batch.attempt ? stored : undefined;
  const end = batch.sequence + batch.events.length;
  if (before?.events !== undefined && end <= before.events) return undefined;
  return { attempt: batch.attempt, updatedAt: now.toISOString(), events: end, ...latestSteps(before, batch.events) };
}

/** The newest step and checklist of a batch; without one the previous values stay. */
function latestSteps(
  before: Progress | undefined,
  events: readonly AgentEvent[],
): Pick<Partial<Progress>, "step" | "checklist"> {
  const reports = events.filter((event) => event.type === "progress");
  const step = reports.at(-1)?.text ?? before?.step;
  const checklist = reports.findLast((event) => event.checklist)?.checklist ?? before?.checklist;
  return defined({ step, checklist });
}

function lastSummary(events: readonly AgentEvent[]): string | undefined {
  const last = events.findLast((event) => event.type === "result");
  return last?.type === "result" ? last.summary : undefined;
}

function key(grant: Grant): { namespace: string; name: string } {
  return { namespace: grant.namespace, name: grant.task };
}

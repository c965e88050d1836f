import { byReceipt, type Receipt } from "../state.ts";
import type { Limit } from "./requirements.ts";

/** A task as the scheduler sees it. */
export interface Contender {
  /** `namespace/name`. */
  key: string;
  /** Fairness is between actors. */
  actor: string;
  /** The tasks of a conversation run one at a time, in the order of receipt. */
  conversation: string;
  receipt: Receipt;
  limits: readonly Limit[];
}

/** A task that is not authorised yet, with the conversation that it will belong to. */
export type Expected = Pick<Contender, "conversation" | "receipt">;

/** All tasks that one pass of the scheduler considers. */
export interface Snapshot {
  /** Tasks that already count against the limits. */
  running: readonly Contender[];
  waiting: readonly Contender[];
  /** Tasks that count against no limit yet; later tasks of their conversation wait for them. */
  expected: readonly Expected[];
  nowMs: number;
  reserveAfterMs: number;
}

/** The admission loop's verdict on a task that waits for admission. */
export type AdmissionVerdict =
  /** The task may run; it counts against every limit from this verdict on. */
  | { state: "Admitted" }
  /** The task waits: `position` tasks of the same limit are ahead of it. */
  | { state: "Waiting"; position: number; limit: string; reason: "Queued" | "ConversationBusy" }
  /** The loop has not checked the task yet; it notifies its listeners when it has. */
  | { state: "Unknown" };

/** The verdict on each task that waits, by `Contender.key`. */
export type Verdicts = Map<string, Exclude<AdmissionVerdict, { state: "Unknown" }>>;

interface Ledger {
  used: Map<string, number>;
  /** How many tasks wait ahead, per limit. */
  ahead: Map<string, number>;
  conversations: Map<string, number>;
  /** How many tasks of its conversation were received before a waiting task, by `Contender.key`; expected tasks count too. */
  ranks: ReadonlyMap<string, number>;
  /** Tasks that this pass admitted, by conversation: they count in `conversations`, and no longer in the ranks of later tasks. */
  admitted: Map<string, number>;
  verdicts: Verdicts;
  reserved: boolean;
}

/**
 * Admits as many tasks as the limits allow, in a fair order: first tasks that wait longer than `reserveAfterMs`, by age; then the others, by
 * the number of running and earlier waiting tasks of their actor, then by age. A task that does not fit is skipped, so that a full repository
 * does not block others. The oldest task that waits too long reserves a place in each of its limits, so that it is not skipped for ever.
 * Pure. Never exceeds a limit and never admits two tasks of one conversation.
 */
export function schedule(snapshot: Snapshot): Verdicts {
  const ledger: Ledger = {
    used: new Map(),
    ahead: new Map(),
    conversations: new Map(),
    ranks: ranksOf(snapshot),
    admitted: new Map(),
    verdicts: new Map(),
    reserved: false,
  };
  for (const contender of snapshot.running) countRunning(ledger, contender);
  for (const contender of inFairOrder(snapshot)) decideContender(ledger, contender, snapshot);
  return ledger.verdicts;
}

function decideContender(ledger: Ledger, contender: Contender, snapshot: Snapshot): void {
  const before = aheadInConversation(ledger, contender);
  if (before > 0) {
    const limit = "one task of a conversation runs at a time";
    ledger.verdicts.set(contender.key, { state: "Waiting", reason: "ConversationBusy", position: before, limit });
    return;
  }
  const full = contender.limits.find((limit) => (ledger.used.get(limit.key) ?? 0) >= limit.max);
  if (full) {
    const position = ledger.ahead.get(full.key) ?? 0;
    ledger.verdicts.set(contender.key, { state: "Waiting", reason: "Queued", position, limit: full.describe });
    for (const limit of contender.limits) add(ledger.ahead, limit.key);
    reserve(ledger, contender, snapshot);
    return;
  }
  ledger.verdicts.set(contender.key, { state: "Admitted" });
  add(ledger.admitted, contender.conversation);
  countRunning(ledger, contender);
}

/** How many tasks of the conversation come before this one: those that run, and earlier ones that wait or are not authorised yet. */
function aheadInConversation({ conversations, ranks, admitted }: Ledger, { key, conversation }: Contender): number {
  const running = conversations.get(conversation) ?? 0;
  return running + (ranks.get(key) ?? 0) - (admitted.get(conversation) ?? 0);
}

/** Sorts each conversation once, so that thousands of tasks in one conversation do not take quadratic time. */
function ranksOf({ waiting, expected }: Snapshot): Map<string, number> {
  const queues = new Map<string, { key?: string; receipt: Receipt }[]>();
  for (const one of [...waiting, ...expected]) {
    const queue = queues.get(one.conversation);
    if (queue) queue.push(one);
    else queues.set(one.conversation, [one]);
  }
  const ranks = new Map<string, number>();
  for (const queue of queues.values()) {
    queue.sort((a, b) => byReceipt(a.receipt, b.receipt));
    for (const [rank, { key }] of queue.entries()) if (key !== undefined) ranks.set(key, rank);
  }
  return ranks;
}

/** Reserves places for the oldest task that waits too long. Only one task at a time, so that few places stay unused. */
function reserve(ledger: Ledger, contender: Contender, snapshot: Snapshot): void {
  if (ledger.reserved || !waitsTooLong(snapshot, contender)) return;
  ledger.reserved = true;
  for (const limit of contender.limits) add(ledger.used, limit.key);
}

function countRunning(ledger: Ledger, contender: Contender): void {
  for (const limit of contender.limits) add(ledger.used, limit.key);
  add(ledger.conversations, contender.conversation);
}

function inFairOrder(snapshot: Snapshot): Contender[] {
  const load = new Map<string, number>();
  for (const { actor } of snapshot.running) add(load, actor);
  return [...snapshot.waiting]
    .sort(older)
    .map((contender) => {
      const rank = waitsTooLong(snapshot, contender) ? -1 : (load.get(contender.actor) ?? 0);
      add(load, contender.actor);
      return { contender, rank };
    })
    .sort((a, b) => a.rank - b.rank || older(a.contender, b.contender))
    .map(({ contender }) => contender);
}

function waitsTooLong(snapshot: Snapshot, contender: Contender): boolean {
  return snapshot.nowMs - contender.receipt.receivedMs >= snapshot.reserveAfterMs;
}

function older(a: Contender, b: Contender): number {
  return byReceipt(a.receipt, b.receipt) || a.key.localeCompare(b.key);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

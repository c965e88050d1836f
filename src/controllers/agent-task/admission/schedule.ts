import { byReceipt, type Receipt } from "../state.ts";
import type { Limit } from "./limits.ts";
import type { AdmissionVerdict } from "./verdict.ts";

/** A task as the scheduler sees it. */
export interface Contender {
  /** `namespace/name`. */
  key: string;
  /** Fairness is between actors. */
  actor: string;
  /** The tasks of a conversation run one at a time, in the order of receipt. */
  conversation: string;
  /** The conversation as the event names it: for a comment on a change that Bellhop opened, the change. */
  thread: string;
  receipt: Receipt;
  limits: readonly Limit[];
}

/** A task that is not authorised yet. Only its thread is known: its conversation is resolved with the authorisation. */
export type Expected = Pick<Contender, "thread" | "receipt">;

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

/** The verdict on each task that waits, by `Contender.key`. */
export type Verdicts = Map<string, Exclude<AdmissionVerdict, { state: "Unknown" }>>;

interface Ledger {
  used: Map<string, number>;
  /** How many tasks wait ahead, per limit. */
  ahead: Map<string, number>;
  conversations: Map<string, number>;
  /** Receipts of waiting tasks by conversation, and of expected tasks by thread. */
  queues: { waiting: Map<string, Receipt[]>; expected: Map<string, Receipt[]> };
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
    queues: {
      waiting: queuesOf(snapshot.waiting, ({ conversation }) => conversation),
      expected: queuesOf(snapshot.expected, ({ thread }) => thread),
    },
    verdicts: new Map(),
    reserved: false,
  };
  for (const contender of snapshot.running) countRunning(ledger, contender);
  for (const contender of inFairOrder(snapshot)) decideContender(ledger, contender, snapshot);
  return ledger.verdicts;
}

function decideContender(ledger: Ledger, contender: Contender, snapshot: Snapshot): void {
  const before = (ledger.conversations.get(contender.conversation) ?? 0) + receivedBefore(ledger, contender);
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
  leaveQueue(ledger.queues.waiting, contender);
  countRunning(ledger, contender);
}

/** How many tasks of the conversation were received before this one and wait, or are not authorised yet. */
function receivedBefore({ queues }: Ledger, { conversation, thread, receipt }: Contender): number {
  const threads = new Set([conversation, thread]);
  const ahead = [
    ...(queues.waiting.get(conversation) ?? []),
    ...[...threads].flatMap((name) => queues.expected.get(name) ?? []),
  ];
  return ahead.filter((other) => byReceipt(other, receipt) < 0).length;
}

function queuesOf<T extends { receipt: Receipt }>(
  all: readonly T[],
  nameOf: (one: T) => string,
): Map<string, Receipt[]> {
  const queues = new Map<string, Receipt[]>();
  for (const one of all) {
    const queue = queues.get(nameOf(one));
    if (queue) queue.push(one.receipt);
    else queues.set(nameOf(one), [one.receipt]);
  }
  return queues;
}

/** Removes an admitted task from the queue, so that it counts once, as running. */
function leaveQueue(waiting: Map<string, Receipt[]>, { conversation, receipt }: Contender): void {
  waiting.set(conversation, waiting.get(conversation)?.filter((other) => other !== receipt) ?? []);
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

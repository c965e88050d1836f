import type { Limit } from "./limits.ts";
import type { AdmissionVerdict } from "./verdict.ts";

/** A task as the scheduler sees it. */
export interface Contender {
  /** `namespace/name`. */
  key: string;
  /** Fairness is between actors. */
  actor: string;
  /** One task of a conversation at a time, the oldest first. */
  conversation: string;
  sinceMs: number;
  limits: readonly Limit[];
}

/** One look at everything. */
export interface Field {
  /** What counts already. */
  running: readonly Contender[];
  waiting: readonly Contender[];
  nowMs: number;
  reserveAfterMs: number;
}

/** What holds for each task that waits. */
export type Verdicts = Map<string, Exclude<AdmissionVerdict, { state: "Unknown" }>>;

interface Ledger {
  used: Map<string, number>;
  /** Who waits in front, per limit. */
  ahead: Map<string, number>;
  conversations: Map<string, number>;
  verdicts: Verdicts;
  reserved: boolean;
}

/**
 * Admits as many as fit, in a fair order: those who wait longer than `reserveAfterMs` by age, then the others by how much their actor
 * has at work and in the queue before them, then by age. Someone who does not fit is passed by, so that a full repository holds up nobody
 * else; but the oldest of those who wait too long keeps a place in each of its limits, so that it is not passed by for ever.
 * Pure. Never admits over a limit, nor two of one conversation.
 */
export function schedule(field: Field): Verdicts {
  const ledger: Ledger = {
    used: new Map(),
    ahead: new Map(),
    conversations: new Map(),
    verdicts: new Map(),
    reserved: false,
  };
  for (const contender of field.running) take(ledger, contender);
  const first = oldestOfConversations(field.waiting);
  for (const contender of inFairOrder(field)) consider(ledger, contender, { field, first });
  return ledger.verdicts;
}

function consider(
  ledger: Ledger,
  contender: Contender,
  { field, first }: { field: Field; first: Map<string, string> },
): void {
  const busy = ledger.conversations.get(contender.conversation) ?? 0;
  if (busy > 0 || first.get(contender.conversation) !== contender.key) {
    ledger.verdicts.set(contender.key, conversationBusy(field, contender, busy));
    return;
  }
  const full = contender.limits.find((limit) => (ledger.used.get(limit.key) ?? 0) >= limit.max);
  if (full) {
    const position = ledger.ahead.get(full.key) ?? 0;
    ledger.verdicts.set(contender.key, { state: "Waiting", reason: "Queued", position, limit: full.describe });
    for (const limit of contender.limits) add(ledger.ahead, limit.key);
    reserve(ledger, contender, field);
    return;
  }
  ledger.verdicts.set(contender.key, { state: "Admitted" });
  take(ledger, contender);
}

function conversationBusy(field: Field, contender: Contender, busy: number): AdmissionVerdict & { state: "Waiting" } {
  const before = field.waiting.filter(
    (other) => other.conversation === contender.conversation && older(other, contender) < 0,
  ).length;
  const limit = "one task of a conversation at a time";
  return { state: "Waiting", reason: "ConversationBusy", position: busy + before, limit };
}

/** The oldest that waits too long holds its places; one at a time, so that little stands idle for it. */
function reserve(ledger: Ledger, contender: Contender, field: Field): void {
  if (ledger.reserved || !waitsTooLong(field, contender)) return;
  ledger.reserved = true;
  for (const limit of contender.limits) add(ledger.used, limit.key);
}

function take(ledger: Ledger, contender: Contender): void {
  for (const limit of contender.limits) add(ledger.used, limit.key);
  add(ledger.conversations, contender.conversation);
}

function inFairOrder(field: Field): Contender[] {
  const load = new Map<string, number>();
  for (const { actor } of field.running) add(load, actor);
  return [...field.waiting]
    .sort(older)
    .map((contender) => {
      const rank = waitsTooLong(field, contender) ? -1 : (load.get(contender.actor) ?? 0);
      add(load, contender.actor);
      return { contender, rank };
    })
    .sort((a, b) => a.rank - b.rank || older(a.contender, b.contender))
    .map(({ contender }) => contender);
}

function oldestOfConversations(waiting: readonly Contender[]): Map<string, string> {
  const first = new Map<string, string>();
  for (const { conversation, key } of [...waiting].sort(older)) {
    if (!first.has(conversation)) first.set(conversation, key);
  }
  return first;
}

function waitsTooLong(field: Field, contender: Contender): boolean {
  return field.nowMs - contender.sinceMs >= field.reserveAfterMs;
}

function older(a: Contender, b: Contender): number {
  return a.sinceMs - b.sinceMs || a.key.localeCompare(b.key);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

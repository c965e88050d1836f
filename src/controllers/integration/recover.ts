import type { Connection, MissedDeliveries } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { defined } from "../../shared/defined.ts";
import { isTemporary } from "../provider-failure.ts";
import type { IntegrationDeps } from "./deps.ts";
import { keyOwnerOf, membersOf, type Sharer } from "./members.ts";
import type { DueSearches } from "./outages.ts";

/** The result of a search: the time until which the log was searched, if it changed, and when to search again, if earlier than usual. */
export interface Recovered {
  status: { recoveredUntil?: string };
  againMs?: number;
}

/** After a search that left deliveries: these are asked for next. */
const moreMs = 1_000;

/**
 * If the provider keeps a delivery log, asks it to redeliver every delivery that was not answered 2xx. This recovers the deliveries of a time
 * without gateways or without an API server: after an outage and at the beginning of leadership it searches at once. It never covers the time
 * before the integration was created or while it was suspended, never the same period twice, and at most a day back.
 */
export async function recover(
  deps: IntegrationDeps,
  { missed }: Pick<Connection, "missed">,
  sharer: Sharer,
  signal: AbortSignal,
): Promise<Recovered> {
  if (!missed || !isSearcher(deps, sharer)) return notSearched;
  const since = recoverSince(sharer.integration, deps.config.recoveryWindowMs, deps.clock.now());
  const due = deps.outages.searchesOf({ uid: sharer.integration.metadata.uid ?? "", host: missed.host });
  if (!isDue(deps, due, since)) return { status: {}, ...again(due) };
  // Deliveries during a suspension are ignored, also afterwards. If only some members of a shared hook are suspended, the others need their
  // deliveries, and the gateways ignore those for the suspended members.
  if (membersOf(deps.source, sharer).every(({ spec }) => spec.suspend)) {
    due.end();
    return { status: { recoveredUntil: deps.clock.now().toISOString() }, ...again(due) };
  }
  try {
    return await search(deps, missed, { sharer, since, due }, signal);
  } catch (error) {
    if (isTemporary(error)) throw error;
    due.end();
    const { name: integration } = sharer.integration.metadata;
    deps.log.warn({ error, integration }, "could not read the provider's delivery log");
    return { status: {}, ...again(due) };
  }
}

/** The result if there is no log, or nothing may be redelivered. */
export const notSearched: Recovered = { status: {} };

async function search(
  deps: IntegrationDeps,
  missed: MissedDeliveries,
  { sharer, since, due }: { sharer: Sharer; since: Date; due: DueSearches },
  signal: AbortSignal,
): Promise<Recovered> {
  due.begin();
  const { asked, cursor, more } = await missed.redeliverMissed(since, signal);
  // A search that left deliveries has not ended.
  if (!more) due.end();
  const { name: integration } = sharer.integration.metadata;
  if (asked > 0) deps.log.info({ integration, asked, more }, "requested redelivery of missed deliveries");
  // The log has whole seconds: a requested delivery may be from the same second that the search started with.
  const status = cursor > since || asked > 0 ? { recoveredUntil: cursor.toISOString() } : {};
  return { status, ...(more ? { againMs: moreMs } : again(due)) };
}

/** A log does not need a hook of ours: if the hook is managed manually, the oldest integration searches for all that share it. */
function isSearcher({ source }: IntegrationDeps, sharer: Sharer): boolean {
  return keyOwnerOf(source, sharer).metadata.uid === sharer.integration.metadata.uid;
}

function isDue({ clock, config }: IntegrationDeps, due: DueSearches, since: Date): boolean {
  return due.inMs() === 0 || clock.now().getTime() - since.getTime() >= config.recoveryMs;
}

function again(due: DueSearches): { againMs?: number } {
  return defined({ againMs: due.inMs() });
}

/** Pure: the time from which to search the log. */
export function recoverSince(integration: Integration, windowMs: number, now: Date): Date {
  const moments = [integration.metadata.creationTimestamp, integration.status?.recoveredUntil].map((text) =>
    Date.parse(text ?? ""),
  );
  const known = moments.filter((moment) => !Number.isNaN(moment));
  return new Date(Math.max(now.getTime() - windowMs, ...known));
}

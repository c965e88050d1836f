import type { Connection } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import { isTemporary } from "../provider-failure.ts";
import type { IntegrationDeps } from "./deps.ts";
import { keyOwnerOf, membersOf, type Sharer } from "./members.ts";

/**
 * If the provider keeps a delivery log, asks it to redeliver every delivery that was not answered 2xx. This recovers the deliveries of a time
 * without gateways. It never covers the time before the integration was created or while it was suspended, never the same period twice, and
 * at most a day back.
 */
export async function recover(
  deps: IntegrationDeps,
  connection: Connection,
  sharer: Sharer,
  signal: AbortSignal,
): Promise<{ recoveredUntil?: string }> {
  const { integration } = sharer;
  const since = recoverSince(integration, deps.config.recoveryWindowMs, deps.clock.now());
  if (!connection.missed || !isDue(deps, sharer, since)) return {};
  // Deliveries during a suspension are ignored, also afterwards. If only some members of a shared hook are suspended, the others need their
  // deliveries, and the gateways ignore those for the suspended members.
  if (membersOf(deps.source, sharer).every(({ spec }) => spec.suspend))
    return { recoveredUntil: deps.clock.now().toISOString() };
  try {
    const { asked, cursor } = await connection.missed.redeliverMissed(since, signal);
    if (asked > 0)
      deps.log.info({ integration: integration.metadata.name, asked }, "requested redelivery of missed deliveries");
    // The log has whole seconds: a requested delivery may be from the same second that the search started with.
    return cursor > since || asked > 0 ? { recoveredUntil: cursor.toISOString() } : {};
  } catch (error) {
    if (isTemporary(error)) throw error;
    deps.log.warn({ error, integration: integration.metadata.name }, "could not read the provider's delivery log");
    return {};
  }
}

function isDue({ clock, config, source }: IntegrationDeps, sharer: Sharer, since: Date): boolean {
  const due = clock.now().getTime() - since.getTime() >= config.recoveryMs;
  // A log does not need a hook of ours: if the hook is managed manually, the oldest integration searches for all that share it.
  return due && keyOwnerOf(source, sharer).metadata.uid === sharer.integration.metadata.uid;
}

/** Pure: the time from which to search the log. */
export function recoverSince(integration: Integration, windowMs: number, now: Date): Date {
  const moments = [integration.metadata.creationTimestamp, integration.status?.recoveredUntil].map((text) =>
    Date.parse(text ?? ""),
  );
  const known = moments.filter((moment) => !Number.isNaN(moment));
  return new Date(Math.max(now.getTime() - windowMs, ...known));
}

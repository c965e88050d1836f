import type { Connection } from "../../integrations/connection.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/types.ts";
import type { IntegrationDeps } from "./deps.ts";
import { keyOwnerOf, membersOf, type Sharer } from "./members.ts";

/**
 * Asks the provider to deliver again what was not answered 2xx, where it keeps a log: what happened while no gateway was there heals
 * itself. Never before the integration was made or while it was suspended, never twice the same stretch, at most a day back.
 */
export async function recover(
  deps: IntegrationDeps,
  connection: Connection,
  sharer: Sharer,
  signal: AbortSignal,
): Promise<{ recoveredUntil?: string }> {
  const { integration } = sharer;
  const since = recoverSince(integration, deps.config.recoveryWindowMs, deps.clock.now());
  if (!connection.deliveries || !isDue(deps, sharer, since)) return {};
  // What came while suspended was to be ignored; it is not asked for afterwards either. Of a shared hook, the gateways ignore what is for
  // those that are suspended, and the others miss theirs.
  if (membersOf(deps.source, sharer).every(({ spec }) => spec.suspend))
    return { recoveredUntil: deps.clock.now().toISOString() };
  try {
    const { asked, cursor } = await connection.deliveries.redeliverMissed(since, signal);
    if (asked > 0)
      deps.log.info({ integration: integration.metadata.name, asked }, "missed deliveries asked for again");
    // The log has whole seconds: what is asked for may lie in the very second that we began with.
    return cursor > since || asked > 0 ? { recoveredUntil: cursor.toISOString() } : {};
  } catch (error) {
    if (isProviderFailure(error, "RateLimited", "Unavailable")) throw error;
    deps.log.warn({ error, integration: integration.metadata.name }, "the provider's delivery log could not be read");
    return {};
  }
}

function isDue({ clock, config, source }: IntegrationDeps, sharer: Sharer, since: Date): boolean {
  const due = clock.now().getTime() - since.getTime() >= config.recoveryMs;
  // A log needs no hook of ours: where people keep the hook, the oldest integration looks for all that share it.
  return due && keyOwnerOf(source, sharer).metadata.uid === sharer.integration.metadata.uid;
}

/** Pure: from when on to look. */
export function recoverSince(integration: Integration, windowMs: number, now: Date): Date {
  const moments = [integration.metadata.creationTimestamp, integration.status?.recoveredUntil].map((text) =>
    Date.parse(text ?? ""),
  );
  const known = moments.filter((moment) => !Number.isNaN(moment));
  return new Date(Math.max(now.getTime() - windowMs, ...known));
}

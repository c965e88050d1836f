import type { Logger } from "../shared/log.ts";
import type { Handled } from "./hooks.ts";
import type { GatewayMetrics } from "./metrics.ts";

/** Dependencies of `recordDelivery`. */
export interface RecordDeps {
  metrics: Pick<GatewayMetrics, "deliveries" | "duration">;
  log: Logger;
}

/** Counts and logs an answered delivery. Nothing is logged of private messages. */
export function recordDelivery(
  { metrics, log }: RecordDeps,
  { answer, provider, deliveryId }: Handled,
  durationMs: number,
): void {
  const { status, detail, body } = answer;
  const result = body.status;
  metrics.deliveries.inc({ provider, result, reason: body.reason });
  metrics.duration.observe({ provider, result }, durationMs / 1_000);
  if (answer.private) return;
  const { reason, task } = body;
  const fields = { provider, deliveryId, status, result, reason, task, detail, durationMs: Math.round(durationMs) };
  if (status >= 500) log.error({ ...fields, why: body.message }, "could not store a delivery");
  else log.info({ ...fields, why: body.message }, "delivery handled");
}

import type { Delivery, Hook } from "../state/hooks.ts";
import { timestamp } from "../state/world.ts";
import { viewDelivery, viewDeliveryItem, viewHookConfig } from "../view/hook.ts";
import { api } from "../view/urls.ts";
import { appOf } from "./app.ts";
import { HttpFailure, notFound } from "./failure.ts";
import { cursorPage } from "./page.ts";
import { ok, on } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";

/** The App's one webhook and its deliveries. */
export const appHookRoutes: Route[] = [
  on("GET /app/hook/config", "app", (call) => ok(viewHookConfig(appHook(call).config))),
  on("PATCH /app/hook/config", "app", (call) => {
    const hook = appHook(call);
    changeConfig(call, hook, call.body);
    return ok(viewHookConfig(hook.config));
  }),
  on("GET /app/hook/deliveries", "app", (call) => listDeliveries(call, appHook(call))),
  on("GET /app/hook/deliveries/{delivery_id}", "app", (call) => getDelivery(call, appHook(call))),
  on("POST /app/hook/deliveries/{delivery_id}/attempts", "app", (call) => redeliver(call, appHook(call))),
];

/** Updates the given fields of a `webhook-config`. */
export function changeConfig(call: Call, hook: Hook, config: Record<string, unknown>): void {
  for (const field of ["url", "content_type", "secret", "insecure_ssl"] as const) {
    const value = config[field];
    if (typeof value === "string" || typeof value === "number") hook.config[field] = String(value);
  }
  hook.updatedAt = timestamp(call.world);
}

/** A hook's deliveries, newest first; `status` is `success` (200–399) or `failure` (400–599). */
export function listDeliveries(call: Call, hook: Hook): Answer {
  const status = call.query.get("status");
  const mine = call.world.data.deliveries.filter(
    (delivery) => delivery.hookId === hook.id && delivery.status !== "pending" && matches(delivery, status),
  );
  return cursorPage(call, mine.toReversed(), viewDeliveryItem);
}

/** One delivery with request and response. */
export function getDelivery(call: Call, hook: Hook): Answer {
  return ok(viewDelivery(deliveryOf(call, hook), api(call.world, call.path)));
}

/** Starts a redelivery and answers 202. */
export function redeliver(call: Call, hook: Hook): Answer {
  call.redeliver(deliveryOf(call, hook));
  return { status: 202, body: {} };
}

function appHook(call: Call): Hook {
  const app = appOf(call);
  const hook = call.world.data.hooks.find((item) => item.target === "integration" && item.targetId === app.id);
  if (!hook) throw notFound();
  return hook;
}

function deliveryOf(call: Call, hook: Hook): Delivery {
  const id = call.params["delivery_id"] ?? "";
  if (!/^\d+$/.test(id)) throw new HttpFailure(400, "Invalid delivery ID");
  const found = call.world.data.deliveries.find((delivery) => delivery.id === id && delivery.hookId === hook.id);
  if (!found) throw notFound();
  return found;
}

function matches(delivery: Delivery, status: string | null): boolean {
  const { statusCode } = delivery;
  if (status === "success") return statusCode >= 200 && statusCode < 400;
  return status !== "failure" || (statusCode >= 400 && statusCode < 600);
}

import type { Request } from "express";
import { refused, retryLater, type Answer } from "../intake/answer.ts";
import type { RouteEntry } from "../intake/gateway-keys.ts";
import { handleDelivery, isSigned, type IntakeDeps } from "../intake/handle-delivery.ts";
import type { Delivery } from "../integrations/types.ts";
import type { InFlight, Ticket } from "../shared/in-flight.ts";
import type { KeyRing } from "./keys.ts";
import { readBody } from "./read-body.ts";

/** Dependencies of `handleHook`. */
export interface HookDeps {
  keyRing: Pick<KeyRing, "lookup" | "reread">;
  inFlight: InFlight;
  intake: IntakeDeps;
  /** Time-out of a call to the API server. */
  storeTimeoutMs: number;
}

/** The result of one request, for the answer, the log and the metrics. */
export interface Handled {
  answer: Answer;
  provider: string;
  deliveryId?: string | undefined;
}

/** Handles one request: checks its route, then the limits, then reads its body and passes the delivery to intake. */
export async function handleHook(deps: HookDeps, request: Request): Promise<Handled> {
  const route = String(request.params["id"] ?? "");
  const entry = deps.keyRing.lookup(route) ?? (await rereadAndLookup(deps.keyRing, route));
  const provider = entry && deps.intake.provider(entry.provider);
  if (!entry || !provider) return { answer: unknownHook, provider: "none" };
  const ticket = deps.inFlight.enter(route);
  if (!ticket) return { answer: busy, provider: entry.provider };
  try {
    return await receive(deps, request, { entry, ticket, maxBytes: provider.webhooks.maxBodyBytes });
  } finally {
    ticket.release();
  }
}

interface Admitted {
  entry: RouteEntry;
  ticket: Ticket;
  maxBytes: number;
}

async function receive(deps: HookDeps, request: Request, { entry, ticket, maxBytes }: Admitted): Promise<Handled> {
  const receivedAt = deps.intake.clock.now();
  const read = await readBody(request, ticket, maxBytes);
  if (!read.ok) return { answer: unread[read.reason], provider: entry.provider };
  const delivery: Delivery = { body: read.body, receivedAt, headers: { get: (name) => request.get(name) } };
  const current = await entryWithKey(deps, entry, delivery);
  const signal = AbortSignal.timeout(deps.storeTimeoutMs);
  const answer = await handleDelivery({ entry: current, delivery, deps: deps.intake, signal });
  const deliveryId = deps.intake.provider(entry.provider)?.webhooks.deliveryId(delivery);
  return { answer, provider: entry.provider, deliveryId };
}

async function rereadAndLookup(keyRing: HookDeps["keyRing"], route: string): Promise<RouteEntry | undefined> {
  return (await keyRing.reread()) ? keyRing.lookup(route) : undefined;
}

/** The entry whose keys verify the delivery. If no known key does, the sender may use a new key that the watch has not delivered yet, so the keys are read again. */
async function entryWithKey({ keyRing, intake }: HookDeps, entry: RouteEntry, delivery: Delivery): Promise<RouteEntry> {
  const provider = intake.provider(entry.provider);
  if (!provider || isSigned(provider, entry, delivery)) return entry;
  return (await rereadAndLookup(keyRing, entry.route)) ?? entry;
}

const unknownHook = refused(404, "UnknownHook", "No such hook. Check the URL in the webhook's settings.");
const busy = retryLater(
  429,
  "TooManyInFlight",
  "The gateway handles too many deliveries at the moment. Send this delivery again later.",
);
const unread: Record<"TooLarge" | "Busy" | "Truncated", Answer> = {
  TooLarge: refused(413, "TooLarge", "The body exceeds the maximum size of this provider's deliveries."),
  Busy: busy,
  Truncated: refused(400, "Truncated", "body: it is shorter than its Content-Length."),
};

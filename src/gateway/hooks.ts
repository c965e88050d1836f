import type { Request } from "express";
import { later, refused, type Answer } from "../intake/answer.ts";
import type { RouteEntry } from "../intake/gateway-keys.ts";
import { handleDelivery, isSigned, type IntakeDeps } from "../intake/handle-delivery.ts";
import type { Delivery } from "../integrations/types.ts";
import type { InFlight, Ticket } from "../shared/in-flight.ts";
import type { KeyRing } from "./keys.ts";
import { readBody } from "./read-body.ts";

/** What taking a delivery off the wire needs. */
export interface HookDeps {
  ring: Pick<KeyRing, "lookup" | "reread">;
  inFlight: InFlight;
  intake: IntakeDeps;
  /** How long we wait for the API server. */
  storeTimeoutMs: number;
}

/** What became of one request, for answer, log and metrics. */
export interface Handled {
  answer: Answer;
  provider: string;
  deliveryId?: string | undefined;
}

/** Takes one request: the route first, then the bounds, then the bytes, then intake. */
export async function handleHook(deps: HookDeps, request: Request): Promise<Handled> {
  const route = String(request.params["id"] ?? "");
  const entry = deps.ring.lookup(route) ?? (await lookupAgain(deps.ring, route));
  const provider = entry && deps.intake.provider(entry.provider);
  if (!entry || !provider) return { answer: unknownHook, provider: "none" };
  const ticket = deps.inFlight.enter(route);
  if (!ticket) return { answer: busy, provider: entry.provider };
  try {
    return await take(deps, request, { entry, ticket, maxBytes: provider.webhooks.maxBodyBytes });
  } finally {
    ticket.release();
  }
}

interface Admitted {
  entry: RouteEntry;
  ticket: Ticket;
  maxBytes: number;
}

async function take(deps: HookDeps, request: Request, { entry, ticket, maxBytes }: Admitted): Promise<Handled> {
  const receivedAt = deps.intake.clock.now();
  const read = await readBody(request, ticket, maxBytes);
  if (!read.ok) return { answer: unread[read.reason], provider: entry.provider };
  const delivery: Delivery = { body: read.body, receivedAt, headers: { get: (name) => request.get(name) } };
  const current = await entryThatFits(deps, entry, delivery);
  const signal = AbortSignal.timeout(deps.storeTimeoutMs);
  const answer = await handleDelivery({ entry: current, delivery, deps: deps.intake, signal });
  const deliveryId = deps.intake.provider(entry.provider)?.webhooks.deliveryId(delivery);
  return { answer, provider: entry.provider, deliveryId };
}

async function lookupAgain(ring: HookDeps["ring"], route: string): Promise<RouteEntry | undefined> {
  return (await ring.reread()) ? ring.lookup(route) : undefined;
}

/** A signature that fits no key may have been made with one that we have not been told of yet. */
async function entryThatFits({ ring, intake }: HookDeps, entry: RouteEntry, delivery: Delivery): Promise<RouteEntry> {
  const provider = intake.provider(entry.provider);
  if (!provider || isSigned(provider, entry, delivery)) return entry;
  return (await lookupAgain(ring, entry.route)) ?? entry;
}

const unknownHook = refused(404, "UnknownHook", "There is no such hook here.");
const busy = later(429, "TooManyInFlight", "Too many deliveries are being handled. Deliver this again later.");
const unread: Record<"TooLarge" | "Busy" | "Truncated", Answer> = {
  TooLarge: refused(413, "TooLarge", "The body is larger than the provider sends."),
  Busy: busy,
  Truncated: refused(400, "Truncated", "body: it ended before Content-Length was reached."),
};

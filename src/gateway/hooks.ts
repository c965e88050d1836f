import { refused, retryLater, type Answer } from "../intake/answer.ts";
import type { RouteEntry } from "../intake/gateway-keys.ts";
import { handleDelivery, inProviderForm, isSigned, type IntakeDeps } from "../intake/handle-delivery.ts";
import type { Delivery } from "../integrations/ingress.ts";
import type { Provider } from "../integrations/provider.ts";
import type { InFlight, Ticket } from "../shared/in-flight.ts";
import type { KeyRing } from "./keys.ts";
import { readBody, type UnreadRequest } from "./read-body.ts";

/** Time that is kept for the answer itself, of the time that the provider waits. */
export const answerReserveMs = 500;

/** Dependencies of `handleHook`. */
export interface HookDeps {
  keyRing: Pick<KeyRing, "lookup" | "reread">;
  inFlight: InFlight;
  intake: IntakeDeps;
  /** Time-out of a call to the API server. */
  storeTimeoutMs: number;
}

/** A request to `/hooks/<id>`, as Express passes it. */
export type HookRequest = UnreadRequest & {
  params: Record<string, string | string[]>;
  get(name: string): string | undefined;
};

/** The result of one request, for the answer, the log and the metrics. */
export interface Handled {
  answer: Answer;
  provider: string;
  deliveryId?: string | undefined;
}

/** Handles one request: checks its route, then the limits, then reads its body and passes the delivery to intake. */
export async function handleHook(deps: HookDeps, request: HookRequest): Promise<Handled> {
  const route = String(request.params["id"] ?? "");
  const entry = deps.keyRing.lookup(route) ?? (await rereadAndLookup(deps.keyRing, route));
  const provider = entry && deps.intake.provider(entry.provider);
  if (!entry || !provider) return { answer: unknownHook, provider: "none" };
  const ticket = deps.inFlight.enter(route);
  if (!ticket) return unreadAnswer(deps, request, provider, "Busy");
  try {
    return await receive(deps, request, { entry, ticket, provider });
  } finally {
    ticket.release();
  }
}

interface Admitted {
  entry: RouteEntry;
  ticket: Ticket;
  provider: Provider;
}

/** The answer to a request whose body was not read, in the form that the provider expects. */
function unreadAnswer(deps: HookDeps, request: HookRequest, provider: Provider, reason: keyof typeof unread): Handled {
  const delivery = deliveryOf(request, new Uint8Array(), deps.intake.clock.now());
  return { answer: inProviderForm(unread[reason], provider, delivery), provider: provider.name };
}

function deliveryOf(request: HookRequest, body: Uint8Array, receivedAt: Date): Delivery {
  return { body, receivedAt, headers: { get: (name) => request.get(name) } };
}

async function receive(deps: HookDeps, request: HookRequest, { entry, ticket, provider }: Admitted): Promise<Handled> {
  const receivedAt = deps.intake.clock.now();
  const { ingress } = provider;
  const read = await readBody(request, ticket, ingress.maxBodyBytes);
  if (!read.ok) return unreadAnswer(deps, request, provider, read.reason);
  const delivery = deliveryOf(request, read.body, receivedAt);
  // The provider waits for all of it: the reading of new keys leaves less time for the rest.
  const signal = AbortSignal.timeout(Math.min(deps.storeTimeoutMs, ingress.answerWithinMs - answerReserveMs));
  const current = await entryWithKey(deps, entry, delivery);
  const answer = await handleDelivery({ entry: current, delivery, deps: deps.intake, signal });
  const deliveryId = ingress.deliveryId(delivery);
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
/** Answers to deliveries that were not read. */
export const unread: Record<"TooLarge" | "Busy" | "Truncated", Answer> = {
  TooLarge: refused(413, "TooLarge", "The body exceeds the maximum size of this provider's deliveries."),
  Busy: retryLater(
    429,
    "TooManyInFlight",
    "The gateway handles too many deliveries at the moment. Send this delivery again later.",
  ),
  Truncated: refused(400, "Truncated", "body: it is shorter than its Content-Length."),
};

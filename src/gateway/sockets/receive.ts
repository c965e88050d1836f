import type { SocketEntry } from "../../intake/gateway-keys.ts";
import { handleProven, inProviderForm, type IntakeDeps } from "../../intake/handle-delivery.ts";
import type { Answer } from "../../intake/answer.ts";
import type { SocketFrame } from "../../integrations/ingress.ts";
import type { Provider } from "../../integrations/provider.ts";
import type { InFlight } from "../../shared/in-flight.ts";
import { answerReserveMs, unread } from "../hooks.ts";
import { recordDelivery, type RecordDeps } from "../record-delivery.ts";

/** Dependencies of `receive`. */
export interface ReceiveDeps extends RecordDeps {
  inFlight: InFlight;
  intake: IntakeDeps;
  /** Time-out of a call to the API server. */
  storeTimeoutMs: number;
}

type DeliveryFrame = Extract<SocketFrame, { kind: "delivery" }>;

/** Handles one delivery that arrived over a connection; returns its acknowledgement, or undefined if it was not stored and must come again. */
export async function receive(
  deps: ReceiveDeps,
  { entry, provider }: { entry: SocketEntry; provider: Provider },
  frame: DeliveryFrame,
  bytes: number,
): Promise<string | undefined> {
  const startedMs = performance.now();
  const answer = await answerTo(deps, { entry, provider }, frame, bytes);
  const deliveryId = provider.ingress.deliveryId(frame.delivery);
  recordDelivery(deps, { answer, provider: provider.name, deliveryId }, performance.now() - startedMs);
  return frame.acknowledge(answer.reply ?? { status: answer.status, body: JSON.stringify(answer.body) });
}

async function answerTo(
  deps: ReceiveDeps,
  { entry, provider }: { entry: SocketEntry; provider: Provider },
  { delivery }: DeliveryFrame,
  bytes: number,
): Promise<Answer> {
  const { ingress } = provider;
  if (delivery.body.length > ingress.maxBodyBytes) return inProviderForm(unread.TooLarge, provider, delivery);
  const ticket = deps.inFlight.enter(`connection of ${entry.members[0]?.uid}`);
  try {
    if (!ticket?.grow(bytes)) return inProviderForm(unread.Busy, provider, delivery);
    const signal = AbortSignal.timeout(Math.min(deps.storeTimeoutMs, ingress.answerWithinMs - answerReserveMs));
    return await handleProven({ entry, delivery, deps: deps.intake, signal }, provider);
  } finally {
    ticket?.release();
  }
}

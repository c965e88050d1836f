import { sleep } from "../../../src/shared/clock.ts";
import { send } from "../github/send.ts";
import type { PostOutcome } from "../github/send.ts";
import { sign } from "./sign.ts";
import type { Envelope, Sockets } from "./socket/connections.ts";
import type { Attempt, Delivery, Outgoing } from "./state/deliveries.ts";
import { newId, nowSeconds } from "./state/world.ts";
import type { World } from "./state/world.ts";

/** Settings for deliveries. */
export interface DeliverySettings {
  /** Time-out of an app's answer; Slack's is 3 s. */
  timeoutMs: number;
  /** PEM certificates to trust in addition to the system's. */
  ca: string | undefined;
  /** Connections of apps in Socket Mode. */
  sockets: Sockets;
}

/** Sends requests to apps, and retries events. */
export interface Deliveries {
  emit(outgoing: Outgoing): void;
  /** Sends one request without retries, and resolves with its outcome. */
  ask(outgoing: Outgoing): Promise<Delivery>;
  /** Resolves once no attempt is in progress. Later retries wait for the clock and do not count. */
  settled(): Promise<void>;
  /** Gives up all scheduled retries. */
  stop(): void;
}

/** Waiting times before the second and third retry of an event; the first one follows at once. */
const laterRetriesMs = [60_000, 300_000];

/** Creates the sender. */
export function createDeliveries(world: World, settings: DeliverySettings): Deliveries {
  const underWay = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  const track = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
    return work;
  };
  const attempts = { world, settings, track, signal: stopping.signal };
  return {
    emit(outgoing) {
      void deliver(attempts, newDelivery(world, outgoing));
    },
    async ask(outgoing) {
      const delivery = newDelivery(world, outgoing);
      await track(attempt(attempts, delivery));
      delivery.done = true;
      return delivery;
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    stop: () => stopping.abort(),
  };
}

interface Attempts {
  world: World;
  settings: DeliverySettings;
  track: <T>(work: Promise<T>) => Promise<T>;
  signal: AbortSignal;
}

function newDelivery(world: World, outgoing: Outgoing): Delivery {
  const delivery: Delivery = { ...outgoing, id: newId(world.data, "D"), attempts: [], done: false };
  world.data.deliveries.push(delivery);
  return delivery;
}

async function deliver(attempts: Attempts, delivery: Delivery): Promise<void> {
  // The first retry follows at once, so that nobody sees the delivery as settled in between.
  let last = await attempts.track(
    attempt(attempts, delivery).then((first) => (ends(attempts, first) ? first : retry(attempts, delivery, first))),
  );
  for (const delayMs of laterRetriesMs) {
    if (ends(attempts, last)) break;
    await sleep(attempts.world.clock, delayMs, attempts.signal).catch(() => {});
    if (ends(attempts, last)) break;
    last = await attempts.track(retry(attempts, delivery, last));
  }
  delivery.done = true;
}

function retry(attempts: Attempts, delivery: Delivery, last: Made): Promise<Made> {
  return attempt(attempts, delivery, last.reason ?? undefined);
}

/** Whether there are no further attempts after this one. */
function ends({ signal }: Attempts, { reason, noRetry }: Made): boolean {
  return reason === null || noRetry || signal.aborted;
}

interface Made extends Attempt {
  noRetry: boolean;
}

function attempt(attempts: Attempts, delivery: Delivery, retryReason?: string): Promise<Made> {
  const overSocket = delivery.app.socketMode && delivery.kind !== "handshake";
  return overSocket
    ? attemptOverSocket(attempts, delivery, retryReason)
    : attemptOverHttp(attempts, delivery, retryReason);
}

/** Sends an envelope to a connection of the app. An acknowledgement counts as status 200. */
async function attemptOverSocket(
  { world, settings }: Attempts,
  delivery: Delivery,
  retryReason?: string,
): Promise<Made> {
  const { kind, payload, app, attempts } = delivery;
  const envelope: Envelope = {
    type: envelopeTypes[kind],
    payload,
    accepts_response_payload: kind === "options" || kind === "command",
    ...(kind === "event" && { retry_attempt: attempts.length, retry_reason: retryReason ?? "" }),
  };
  const made = newAttempt(world, JSON.stringify(envelope), {});
  attempts.push(made);
  const outcome = await settings.sockets.send(app, envelope, settings.timeoutMs);
  made.status = outcome.ok ? 200 : undefined;
  made.reason = outcome.ok ? null : outcome.reason;
  made.answer = outcome.ok && outcome.payload !== undefined ? JSON.stringify(outcome.payload) : "";
  return made;
}

const envelopeTypes = {
  event: "events_api",
  interaction: "interactive",
  options: "interactive",
  command: "slash_commands",
  handshake: "interactive",
} as const;

function newAttempt(world: World, body: string, headers: Record<string, string>): Made {
  const at = world.clock.now().toISOString();
  return { at, headers, body, status: undefined, reason: "unknown_error", answer: "", noRetry: false };
}

async function attemptOverHttp({ world, settings }: Attempts, delivery: Delivery, retryReason?: string): Promise<Made> {
  const body = bodyOf(delivery);
  const headers = headersFor(world, delivery, body, retryReason);
  const made = newAttempt(world, body, headers);
  delivery.attempts.push(made);
  const { timeoutMs, ca } = settings;
  const outcome = await send(world.clock, { url: delivery.url, headers, body, timeoutMs, verify: true, ca });
  made.status = outcome.status === "timed out" ? undefined : outcome.code;
  made.reason = reasonOf(outcome);
  made.answer = outcome.body;
  made.noRetry = outcome.headers["x-slack-no-retry"] === "1";
  return made;
}

function bodyOf({ kind, fields, payload }: Delivery): string {
  if (kind === "event" || kind === "handshake") {
    if (fields !== true) return JSON.stringify(payload);
  }
  if (fields === true) return new URLSearchParams(payload as Record<string, string>).toString();
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

function headersFor(
  world: World,
  delivery: Delivery,
  body: string,
  retryReason: string | undefined,
): Record<string, string> {
  const timestamp = String(nowSeconds(world));
  const json = body.startsWith("{");
  return {
    accept: "*/*",
    "accept-encoding": "identity",
    "content-type": json ? "application/json" : "application/x-www-form-urlencoded",
    "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    "x-slack-request-timestamp": timestamp,
    "x-slack-signature": sign(delivery.app.signingSecret, timestamp, body),
    ...(retryReason !== undefined && {
      "x-slack-retry-num": String(delivery.attempts.length),
      "x-slack-retry-reason": retryReason,
    }),
  };
}

/** The reason that Slack gives for a retry; null after a success. The stand-in does not follow redirects. */
function reasonOf({ code, status }: PostOutcome): string | null {
  if (status === "timed out") return "http_timeout";
  if (code === undefined) return "connection_failed";
  if (code >= 300 && code < 400) return "too_many_redirects";
  return code >= 200 && code < 300 ? null : "http_error";
}

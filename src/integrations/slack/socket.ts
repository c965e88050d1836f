import { z } from "zod";
import type { SlackApp } from "../../api/slack-app.ts";
import { BellhopError } from "../../shared/errors.ts";
import { secretRegistry } from "../../shared/redact.ts";
import type { ProviderFailure } from "../connection.ts";
import { ProviderError } from "../errors.ts";
import { hasMoreValues } from "../has-more-values.ts";
import type { Delivery, HttpReply, SocketFrame, SocketIngress } from "../ingress.ts";
import { formType, maxValues } from "./body.ts";
import { slackClient } from "./client.ts";
import { hasCode } from "./failures.ts";

/** The field of the app-level token. */
export const socketTokenPath = "spec.credentials.appTokenSecretRef";

/**
 * Socket Mode: the gateway opens a WebSocket, and Slack sends over it what it would send to the webhook URL, each payload in an envelope that has
 * to be acknowledged within three seconds. Source: Slack, "Using Socket Mode" and `apps.connections.open`.
 */
export const socket: SocketIngress<SlackApp> = {
  settings: ({ spec: { credentials, url } }) =>
    credentials.appTokenSecretRef && {
      name: "Socket Mode",
      tokenRef: credentials.appTokenSecretRef,
      tokenPath: socketTokenPath,
      url,
    },
  appOf: (token) => /^xapp-\d+-(A[A-Z0-9]+)-/.exec(token.trim())?.[1] ?? token.trim(),
  async open(target, deps, signal) {
    if (!/^xapp-[A-Za-z0-9-]+$/.test(target.token)) throw notAnAppToken();
    const client = slackClient({ ...deps, url: target.url, host: target.host, throttle: false }, target.token);
    try {
      const call = { doing: "open a Socket Mode connection", method: "apps.connections.open", args: {} } as const;
      const { url = "" } = await client.call<{ url?: string }>(call, signal);
      if (!/^wss?:\/\//.test(url) || !URL.canParse(url)) throw new ProviderError("Unavailable", noAddress(target.host));
      secretRegistry.add(new URL(url).searchParams.get("ticket") ?? "");
      return url;
    } catch (error) {
      throw forAppToken(error, target.host);
    }
  },
  read(text, receivedAt) {
    const found = parse(text);
    if (!found) return { kind: "other", what: "a message that is not readable" };
    return readers.get(found.type)?.(found, receivedAt) ?? unknown(found);
  },
};

const envelope = z.looseObject({
  type: z.string().max(64),
  reason: z.string().max(64).optional().catch(undefined),
  envelope_id: z.string().min(1).max(128).optional(),
  payload: z.record(z.string(), z.unknown()).optional().catch(undefined),
  accepts_response_payload: z.boolean().optional().catch(undefined),
});
type Envelope = z.infer<typeof envelope>;

function parse(text: string): Envelope | undefined {
  if (hasMoreValues(Buffer.from(text), maxValues)) return undefined;
  try {
    return envelope.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // The caller says "not readable". The parser's message may quote the message, so it is dropped.
  }
}

type Reader = (found: Envelope, receivedAt: Date) => SocketFrame | undefined;

/** By type of the message. A map, because the type comes from outside. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["hello", () => ({ kind: "ready" })],
  ["disconnect", ({ reason }) => readDisconnect(reason ?? "no reason")],
  ["events_api", (found, at) => delivery(found, at, "application/json", JSON.stringify(found.payload))],
  ["interactive", (found, at) => delivery(found, at, formType, formOf({ payload: found.payload }))],
  ["slash_commands", (found, at) => delivery(found, at, formType, formOf(found.payload ?? {}))],
]);

function formOf(fields: Record<string, unknown>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) form.set(name, fieldOf(value));
  return form.toString();
}

/** Fields of a form are texts; in an envelope some of them are booleans. */
function fieldOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

/** The same request that Slack would send to the webhook URL, without its signature. */
function delivery(found: Envelope, receivedAt: Date, type: string, body: string): SocketFrame | undefined {
  const { envelope_id: id, payload } = found;
  if (id === undefined || payload === undefined) return undefined;
  const headers: Record<string, string> = {
    "content-type": type,
    // Envelopes carry no time of their own.
    "x-slack-request-timestamp": String(Math.floor(receivedAt.getTime() / 1_000)),
  };
  const given: Delivery = { body: Buffer.from(body), receivedAt, headers: { get: (name) => headers[name] } };
  return { kind: "delivery", delivery: given, acknowledge: (reply) => acknowledgement(found, reply) };
}

/** Only an acknowledgement keeps Slack from sending an envelope again, so there is none for an answer that asks for a retry. */
function acknowledgement(found: Envelope, reply: HttpReply): string | undefined {
  const given = reply.status < 300 || reply.headers?.["x-slack-no-retry"] !== undefined;
  if (!given) return undefined;
  const answer = found.accepts_response_payload === true && reply.status < 300 ? payloadOf(reply) : undefined;
  return JSON.stringify({ envelope_id: found.envelope_id, ...(answer ? { payload: answer } : {}) });
}

function payloadOf({ body }: HttpReply): object | undefined {
  return body === "" ? undefined : (JSON.parse(body) as object);
}

function readDisconnect(reason: string): SocketFrame {
  const refusal = refusals.get(reason);
  return refusal
    ? { kind: "refused", ...refusal }
    : { kind: "replace", why: `Slack refreshes the connection (${reason})` };
}

const socketModeOff = "Socket Mode is off in the app. Turn it on, on the app's page Socket Mode.";

const refusals: ReadonlyMap<string, { reason: string; message: string }> = new Map([
  ["link_disabled", { reason: "SocketModeOff", message: `Slack closed the connection: ${socketModeOff}` }],
  [
    "too_many_websockets",
    {
      reason: "TooManyConnections",
      message:
        "Slack closed the connection: the app has more than 10. Stop other programs that use its app-level tokens, or give Bellhop an app of its own.",
    },
  ],
]);

function unknown({ type, envelope_id }: Envelope): SocketFrame {
  const acknowledgement = envelope_id === undefined ? undefined : JSON.stringify({ envelope_id });
  return { kind: "other", what: type, acknowledgement };
}

function notAnAppToken(): BellhopError {
  const message = `the value of ${socketTokenPath} is not an app-level token: store one of the section App-Level Tokens, xapp-…, of the app's page Basic Information`;
  return new BellhopError("SecretInvalid", message);
}

function noAddress(host: string): string {
  return `cannot open a Socket Mode connection at ${host}: Slack's answer has no address. Bellhop retries automatically.`;
}

/** Codes that mean something else for an app-level token than for a bot token. */
const codes: readonly { of: readonly string[]; failure: ProviderFailure; advice: string }[] = [
  {
    of: ["invalid_auth", "not_authed", "token_revoked", "token_expired", "not_allowed_token_type"],
    failure: "Unauthorized",
    advice: `the app-level token is wrong or revoked. Store a token of the section App-Level Tokens, of the app's page Basic Information, in the Secret of ${socketTokenPath}.`,
  },
  {
    of: ["missing_scope", "no_permission"],
    failure: "Forbidden",
    advice:
      "the app-level token lacks the scope connections:write. Generate another one with it, on the app's page Basic Information.",
  },
];

function forAppToken(error: unknown, host: string): unknown {
  const known = codes.find(({ of }) => hasCode(error, ...of));
  if (hasCode(error, "forbidden_team"))
    return new BellhopError("SocketModeOff", `cannot open a Socket Mode connection at ${host}: ${socketModeOff}`);
  if (!known) return error;
  return new ProviderError(known.failure, `cannot open a Socket Mode connection at ${host}: ${known.advice}`);
}

import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { WebClient } from "@slack/web-api";
import type { WebClientOptions } from "@slack/web-api";
import { Agent, fetch as undiciFetch } from "undici";
import { sign } from "./sign.ts";
import type { SlackStandIn } from "./index.ts";

/** A request that an app received. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The JSON of the body, or of `payload=`, or the fields of a form. */
  payload: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests read payloads of every shape
}

/** The answer of an app: a status with headers and body, or no answer. */
export type AppAnswer = { status?: number; headers?: Record<string, string>; body?: unknown } | "hang";

/** An app's server on loopback, which verifies nothing. */
export interface Receiver {
  url: string;
  received: Received[];
  /** The received events of a type, oldest first. */
  events(type: string): Record<string, any>[]; // oxlint-disable-line typescript/no-explicit-any -- tests read events of every shape
  /** Sets the answer from now on; as a function, the answer to each request. */
  answer(next: AppAnswer | ((request: Received) => AppAnswer)): void;
  close(): Promise<void>;
}

/** Starts a receiver that answers 200 without a body. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let answer: (request: Received) => AppAnswer = () => ({});
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const got = { path: request.url ?? "", headers: request.headers, body, payload: payloadOf(body) };
      received.push(got);
      const given = answer(got);
      if (given === "hang") return;
      const text =
        typeof given.body === "string" ? given.body : given.body === undefined ? "" : JSON.stringify(given.body);
      response.writeHead(given.status ?? 200, given.headers);
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack`,
    received,
    events: (type) => received.map(({ payload }) => payload["event"]).filter((event) => event?.type === type),
    answer(next) {
      answer = typeof next === "function" ? next : () => next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A client of `@slack/web-api` without retries, for the bot token of the first app, or for another token. */
export function client(
  slack: SlackStandIn,
  token = slack.installation().token,
  more: WebClientOptions = {},
): WebClient {
  const dispatcher = new Agent(slack.ca === undefined ? {} : { connect: { ca: slack.ca } });
  const fetch = (url: string, init: object): Promise<unknown> => undiciFetch(url, { ...init, dispatcher });
  return new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    fetch: fetch as typeof globalThis.fetch,
    logger: silent,
    ...more,
  });
}

/** Whether a request has the right signature of this secret. */
export function signedWith(secret: string, { headers, body }: Received): boolean {
  return headers["x-slack-signature"] === sign(secret, String(headers["x-slack-request-timestamp"]), body);
}

/** Creates a workspace with people, a channel, a private channel, and an app that is a member of both. */
export async function populate(slack: SlackStandIn, url = ""): Promise<{ token: string; bot: string }> {
  const { people } = slack;
  await people.createTeam({ domain: "acme" });
  await people.createUser({ name: "ana", admin: true });
  await people.createUser({ name: "ben" });
  await people.createUser({ name: "gus", kind: "guest" });
  await people.createApp({ name: "bellhop", eventsUrl: url, commands: { "/bellhop": url } });
  const { token, bot } = await people.installApp({ by: "ana" });
  await people.createChannel({ name: "shop", members: ["ana", "ben", "gus", "bellhop"] });
  await people.createChannel({ name: "secret", private: true, members: ["ana", "bellhop"] });
  await people.createChannel({ name: "elsewhere", members: ["ben"] });
  return { token, bot: bot.id };
}

/** A logger for clients that writes nothing. */
export const silent = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => "error" as never,
  setName: () => {},
};

function payloadOf(body: string): Record<string, unknown> {
  if (body.startsWith("{")) return JSON.parse(body) as Record<string, unknown>;
  const form = Object.fromEntries(new URLSearchParams(body));
  return form["payload"] === undefined ? form : (JSON.parse(form["payload"]) as Record<string, unknown>);
}

import { Agent, type Dispatcher, Pool } from "undici";
import { type Clock, systemClock } from "../shared/clock.ts";
import { secretRegistry } from "../shared/redact.ts";
import { withinSignal } from "../shared/within-signal.ts";
import { type Requests, createCallConnection } from "./call-connection.ts";
import { errorFromAnswer, unreachable } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { KubeConfig } from "./types.ts";
import { defined } from "../shared/defined.ts";

const callTimeoutMs = 60_000;
const connectTimeoutMs = 10_000;
/** Below the API server's own 90 s, so that we, not it, close an idle connection. */
const keepAliveMs = 60_000;
const maxUnparsedBytes = 500;

/** One HTTP request to the API server. */
export interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
  /** Description of the call for messages (`get pods ns/name`). */
  what: string;
}

/** Makes requests over two pools: calls share one HTTP/2 connection; each watch has its own connection without a body time-out. */
export interface Transport {
  /** The parsed JSON answer; throws `ApiError`. */
  call(call: Call): Promise<unknown>;
  /** Streams the bytes of the answer; throws `ApiError` if the status is not 200. */
  stream(call: Call): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

/** Optional dependencies of a transport. */
export interface TransportDeps {
  metrics?: KubeMetrics;
  /** Default: the system clock. */
  clock?: Clock;
}

/** Opens no connection before the first request. */
export function createTransport(config: KubeConfig, { metrics, clock = systemClock }: TransportDeps): Transport {
  const connect = { ...config.tls, timeout: connectTimeoutMs };
  const common = { connect, keepAliveTimeout: keepAliveMs, headersTimeout: callTimeoutMs };
  const callPool = { ...common, connections: 1, bodyTimeout: callTimeoutMs };
  const calls = createCallConnection(() => new Pool(config.server, callPool), clock);
  const watches = new Agent({ ...common, allowH2: false, bodyTimeout: 0 });
  const sender = { config, metrics };

  return {
    async call(call) {
      const answer = await send({ ...sender, requests: calls }, call);
      const text = await answered(call, () => answer.body.text());
      if (answer.statusCode >= 300) throw refusal(call, answer, text);
      return parse(call, text);
    },
    async stream(call) {
      const answer = await send({ ...sender, requests: watches }, call);
      if (answer.statusCode === 200) return answer.body;
      const text = await answered(call, () => answer.body.text());
      throw refusal(call, answer, text);
    },
    async close() {
      await Promise.all([calls.close(), watches.destroy()]);
    },
  };
}

interface Sender {
  config: KubeConfig;
  metrics: KubeMetrics | undefined;
  requests: Requests;
}

async function send(sender: Sender, call: Call): Promise<Dispatcher.ResponseData> {
  const headers = await requestHeaders(sender.config, call);
  try {
    const answer = await answered(call, () =>
      sender.requests.request({
        origin: sender.config.server,
        path: pathWithQuery(call),
        method: call.method,
        headers,
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        ...defined({ signal: call.signal }),
      }),
    );
    sender.metrics?.requests.inc({ code: String(answer.statusCode), method: call.method });
    return answer;
  } catch (error) {
    sender.metrics?.requests.inc({ code: "<error>", method: call.method });
    throw error;
  }
}

async function requestHeaders(config: KubeConfig, call: Call): Promise<Record<string, string>> {
  const authorization = await config.authorization?.();
  secretRegistry.add(authorization?.split(" ").at(-1) ?? "");
  return {
    accept: "application/json",
    "user-agent": "bellhop",
    ...(call.body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
    ...defined({ authorization }),
  };
}

/**
 * Turns every failure into "unreachable", except an abort of ours. undici notices an abort only when the request is on a connection, so a
 * request that waits for a connection would outlive its caller's time-out.
 */
async function answered<R>(call: Call, run: () => Promise<R>): Promise<R> {
  try {
    return await withinSignal(run(), call.signal);
  } catch (error) {
    call.signal?.throwIfAborted();
    throw unreachable(call.what, error);
  }
}

function refusal(call: Call, answer: Dispatcher.ResponseData, text: string): Error {
  const retryAfter = answer.headers["retry-after"];
  const parsed = parseOrUndefined(text) ?? { message: text.slice(0, maxUnparsedBytes) };
  return errorFromAnswer(call.what, answer.statusCode, parsed, typeof retryAfter === "string" ? retryAfter : undefined);
}

function parse(call: Call, text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreachable(`${call.what}: the answer is not JSON`, error);
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: the caller quotes the text instead
  }
}

function pathWithQuery(call: Call): string {
  const query = new URLSearchParams(call.query ?? {}).toString();
  return query === "" ? call.path : `${call.path}?${query}`;
}

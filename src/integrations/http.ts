import { isIP } from "node:net";
import { EnvHttpProxyAgent, fetch as undiciFetch, type Dispatcher, type RequestInit } from "undici";
import type { Clock } from "../shared/clock.ts";
import { BellhopError, describeError } from "../shared/errors.ts";
import type { Logger } from "../shared/log.ts";
import { ProviderError } from "./errors.ts";
import { addressPolicy, type AddressPolicy } from "./http/addresses.ts";
import { followAuthorities } from "./http/authorities.ts";
import { createBreaker, type Breaker } from "./http/breaker.ts";
import { bareHost, guardedConnector, refused, type Resolve } from "./http/connector.ts";
import { retryAfterMs } from "./http/retry-after.ts";
import { maxMessageBytes, openSocket, type ProviderSocket, type SocketEvents } from "./http/socket.ts";

const connectTimeoutMs = 10_000;
const headersTimeoutMs = 30_000;
const bodyTimeoutMs = 30_000;
const defaultTotalTimeoutMs = 120_000;
const breakerOptions = { failures: 5, openMs: 15_000, maxOpenMs: 300_000 };

/** Settings and dependencies of the process's HTTP client for providers. */
export interface HttpConfig {
  /** Proxies in the format of `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. The environment itself is not read. */
  proxy?: { https?: string | undefined; http?: string | undefined; none?: string | undefined };
  /** A PEM file with further certificate authorities, in addition to the built-in ones. It is read again when it changes. */
  caFile?: string | undefined;
  /** Hosts (without port) that may have private addresses or use plain HTTP. The installation lists them. */
  allowedHosts?: readonly string[];
  /** Address ranges (CIDR) to refuse in addition to the private ones: the cluster's own. */
  refusedRanges?: readonly string[];
  /** Time-out of one call including its body; 2 minutes by default. The broker sets a longer one because it streams clones. */
  totalTimeoutMs?: number;
  clock: Clock;
  log: Logger;
  /** Called when a host answers again after its circuit was open, with its name, and its port if it has one. */
  onBack?: (host: string) => void;
  /** Resolves host names; the system's resolver by default, replaced only in tests. */
  resolve?: Resolve;
}

/** The process's only HTTP client for providers. */
export interface Http {
  /**
   * `fetch` through the shared dispatcher. Throws `ProviderError` `Unavailable` if the host does not answer or its circuit is open,
   * and `BellhopError` `AddressRefused` for hosts that must not be called. Returns responses of every status as they are.
   */
  fetch: typeof fetch;
  /** Opens a WebSocket through the same dispatcher. It is not closed by `close`. */
  socket(address: string, events: SocketEvents): ProviderSocket;
  /** Closes idle connections; running calls finish. */
  close(): Promise<void>;
}

/** Creates the HTTP client of the process. Throws if the CA file is unusable or an address range is malformed. */
export function createHttp(config: HttpConfig): Http {
  const totalTimeoutMs = config.totalTimeoutMs ?? defaultTotalTimeoutMs;
  const agents = createAgents(config, totalTimeoutMs);
  const breaker = createBreaker(config.clock, breakerOptions);

  const send = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const host = new URL(input).host;
    const waitMs = breaker.waitMs(host);
    if (waitMs > 0) throw circuitOpen(host, waitMs);
    const signals = [AbortSignal.timeout(totalTimeoutMs), ...(init.signal ? [init.signal] : [])];
    try {
      const response = await undiciFetch(input, {
        ...init,
        dispatcher: agents.current(),
        signal: AbortSignal.any(signals),
      });
      if (recordResponse(breaker, host, response, config.clock.now())) config.onBack?.(host);
      return response;
    } catch (error) {
      throw explain(error, { host, breaker, log: config.log, aborted: init.signal?.aborted === true });
    }
  };

  return {
    fetch: ((input: string | URL | Request, init?: RequestInit) => {
      if (input instanceof Request) throw new TypeError("http.fetch takes a URL, not a Request");
      return send(input, init);
    }) as typeof fetch,
    socket: (address, events) => openSocket(agents.current(), address, events),
    close: () => agents.close(),
  };
}

/** The dispatcher for calls. When the certificate authorities change, a new one replaces it; running calls finish on the old one. */
interface Agents {
  current(): Dispatcher;
  close(): Promise<void>;
}

/** Closes an agent `longestCallMs` after another one took over: until then its calls may be redirected and need it for the next hop. */
function createAgents(config: HttpConfig, longestCallMs: number): Agents {
  const allowedHosts = new Set((config.allowedHosts ?? []).map(bareHost));
  const policy = addressPolicy(config.refusedRanges);
  const authorities = followAuthorities(config.caFile, config);
  const trusting = (ca: string[] | undefined) => {
    const agent = createAgent(config, { allowedHosts, policy, ca });
    return { ca, agent, dispatcher: agent.compose(checkEveryHop(allowedHosts, policy)) };
  };
  let used = trusting(authorities.current());
  /** Agents that another one has replaced, each with what cancels its timer. */
  const replaced = new Map<EnvHttpProxyAgent, () => void>();
  const retire = (agent: EnvHttpProxyAgent): void => {
    const cancel = config.clock.after(longestCallMs, () => {
      replaced.delete(agent);
      void agent.close();
    });
    replaced.set(agent, cancel);
  };
  return {
    current() {
      const ca = authorities.current();
      if (ca === used.ca) return used.dispatcher;
      const before = used.agent;
      used = trusting(ca);
      retire(before);
      return used.dispatcher;
    },
    async close() {
      for (const cancel of replaced.values()) cancel();
      await Promise.all([used.agent, ...replaced.keys()].map((agent) => agent.close()));
      replaced.clear();
    },
  };
}

interface AgentParts {
  allowedHosts: ReadonlySet<string>;
  policy: AddressPolicy;
  ca: string[] | undefined;
}

function createAgent(config: HttpConfig, { allowedHosts, policy, ca }: AgentParts): EnvHttpProxyAgent {
  const tls = ca ? { ca } : {};
  return new EnvHttpProxyAgent({
    httpProxy: config.proxy?.http ?? "",
    httpsProxy: config.proxy?.https ?? "",
    noProxy: config.proxy?.none ?? "",
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    webSocket: { maxPayloadSize: maxMessageBytes },
    connect: guardedConnector({
      policy,
      allowedHosts,
      ca,
      timeoutMs: connectTimeoutMs,
      ...(config.resolve ? { resolve: config.resolve } : {}),
    }),
    requestTls: tls,
    proxyTls: tls,
  });
}

/**
 * Refuses plain HTTP and private addresses for every hop, including redirects and proxied calls, except for hosts that the installation
 * lists. A proxy resolves the host names of the calls it forwards, so it must check their addresses itself.
 */
function checkEveryHop(
  allowedHosts: ReadonlySet<string>,
  policy: AddressPolicy,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const origin = new URL(String(options.origin));
    const host = bareHost(origin.hostname);
    if (allowedHosts.has(host)) return dispatch(options, handler);
    if (origin.protocol !== "https:") throw refused(host, host, "is requested without TLS");
    const why = isIP(host) ? policy(host) : undefined;
    if (why) throw refused(host, host, why);
    return dispatch(options, handler);
  };
}

/**
 * Records a response at the circuit breaker. 502, 503 and 504 mean that the host is down. A 500 may concern only one call, so it
 * counts as up, like any other response. Returns whether the host is back after its circuit was open.
 */
function recordResponse(
  breaker: Breaker,
  host: string,
  response: { status: number; headers: Headers_ },
  now: Date,
): boolean {
  const down = response.status === 502 || response.status === 503 || response.status === 504;
  if (!down) return breaker.succeeded(host);
  breaker.failed(host, retryAfterMs(response.headers.get("retry-after"), now));
  return false;
}

interface Headers_ {
  get(name: string): string | null;
}

function circuitOpen(host: string, waitMs: number): ProviderError {
  return new ProviderError(
    "Unavailable",
    `${host} failed several times in a row or asked for a pause; Bellhop retries in ${Math.ceil(waitMs / 1000)} s`,
    { retryAfterMs: waitMs },
  );
}

interface Circumstances {
  host: string;
  breaker: Breaker;
  log: Logger;
  aborted: boolean;
}

/** Converts an error of undici to a `ProviderError`. A refused address and the caller's own abort do not count as failures of the host. */
function explain(thrown: unknown, { host, breaker, log, aborted }: Circumstances): unknown {
  const ours = firstBellhopError(thrown);
  const refusal = ours?.code === "AddressRefused" ? ours : undefined;
  if (refusal || aborted) {
    breaker.abandoned(host);
    return refusal ?? thrown;
  }
  breaker.failed(host);
  log.debug({ host, error: describeError(thrown) }, "a provider did not answer");
  return new ProviderError("Unavailable", `no answer from ${host}: ${describeError(thrown)}`, { cause: plain(thrown) });
}

function firstBellhopError(thrown: unknown): BellhopError | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof BellhopError) return at;
  }
  return undefined;
}

/** Keeps only the message, because undici's errors can reference whole requests. */
function plain(thrown: unknown): Error {
  return new Error(describeError(thrown));
}

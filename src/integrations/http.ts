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

const connectTimeoutMs = 10_000;
const headersTimeoutMs = 30_000;
const bodyTimeoutMs = 30_000;
const defaultTotalTimeoutMs = 120_000;
const breakerOptions = { failures: 5, openMs: 15_000, maxOpenMs: 300_000 };

/** How the process reaches providers. */
export interface HttpConfig {
  /** Proxies as in `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`; the environment itself is not read. */
  proxy?: { https?: string | undefined; http?: string | undefined; none?: string | undefined };
  /** A PEM file with further certificate authorities; added to the built-in ones, and read again when it changes. */
  caFile?: string | undefined;
  /** Hosts (no port) that may be private, or plain HTTP: those the installation names. */
  allowedHosts?: readonly string[];
  /** Ranges (CIDR) refused on top of the private ones: the cluster's own. */
  refusedRanges?: readonly string[];
  /** The longest one call may take with its body; 2 minutes unless told. The broker, which streams clones, takes longer. */
  totalTimeoutMs?: number;
  clock: Clock;
  log: Logger;
  /** Resolves names; the system's resolver unless a test says otherwise. */
  resolve?: Resolve;
}

/** The one way out to providers. */
export interface Http {
  /**
   * `fetch` over the one dispatcher. Throws `ProviderError` `Unavailable` where nothing answers or the host is being left alone,
   * and `BellhopError` `AddressRefused` for hosts that must not be called. Answers of every status are returned as they are.
   */
  fetch: typeof fetch;
  /** Ends idle connections; calls under way finish. */
  close(): Promise<void>;
}

/** Creates the process's way out. Throws where the CA file is of no use or a range is malformed. */
export function createHttp(config: HttpConfig): Http {
  const agents = createAgents(config);
  const breaker = createBreaker(config.clock, breakerOptions);

  const totalTimeoutMs = config.totalTimeoutMs ?? defaultTotalTimeoutMs;
  const send = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const host = new URL(input).host;
    const waitMs = breaker.waitMs(host);
    if (waitMs > 0) throw leftAlone(host, waitMs);
    const signals = [AbortSignal.timeout(totalTimeoutMs), ...(init.signal ? [init.signal] : [])];
    try {
      const response = await undiciFetch(input, {
        ...init,
        dispatcher: agents.current(),
        signal: AbortSignal.any(signals),
      });
      judge(breaker, host, response, config.clock.now());
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
    close: () => agents.close(),
  };
}

/** The dispatcher for calls; another one takes over when certificate authorities change, and calls under way finish on theirs. */
interface Agents {
  current(): Dispatcher;
  close(): Promise<void>;
}

function createAgents(config: HttpConfig): Agents {
  const allowedHosts = new Set((config.allowedHosts ?? []).map(bareHost));
  const policy = addressPolicy(config.refusedRanges);
  const authorities = followAuthorities(config.caFile, config);
  const trusting = (ca: string[] | undefined) => {
    const agent = createAgent(config, { allowedHosts, policy, ca });
    return { ca, agent, dispatcher: agent.compose(judgedHops(allowedHosts, policy)) };
  };
  let used = trusting(authorities.current());
  return {
    current() {
      const ca = authorities.current();
      if (ca === used.ca) return used.dispatcher;
      const before = used.agent;
      used = trusting(ca);
      void before.close();
      return used.dispatcher;
    },
    close: () => used.agent.close(),
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
 * Refuses plain HTTP and private addresses for every hop, redirects and proxied ones included, but to hosts that the installation lists.
 * Names that go through a proxy are resolved by the proxy: what they lead to is its to judge.
 */
function judgedHops(allowedHosts: ReadonlySet<string>, policy: AddressPolicy): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const origin = new URL(String(options.origin));
    const host = bareHost(origin.hostname);
    if (allowedHosts.has(host)) return dispatch(options, handler);
    if (origin.protocol !== "https:") throw refused(host, host, "is asked for without TLS");
    const why = isIP(host) ? policy(host) : undefined;
    if (why) throw refused(host, host, why);
    return dispatch(options, handler);
  };
}

/** 5xx of a gateway says that the host is down; a 500 may be about one call, and any other answer says that it is up. */
function judge(breaker: Breaker, host: string, response: { status: number; headers: Headers_ }, now: Date): void {
  const down = response.status === 502 || response.status === 503 || response.status === 504;
  if (!down) return breaker.succeeded(host);
  return breaker.failed(host, retryAfterMs(response.headers.get("retry-after"), now));
}

interface Headers_ {
  get(name: string): string | null;
}

function leftAlone(host: string, waitMs: number): ProviderError {
  return new ProviderError(
    "Unavailable",
    `${host} has failed several times in a row or asked for a pause; it is tried again in ${Math.ceil(waitMs / 1000)} s`,
    { retryAfterMs: waitMs },
  );
}

interface Circumstances {
  host: string;
  breaker: Breaker;
  log: Logger;
  aborted: boolean;
}

/** Turns what undici threw into our words. A refused address and the caller's own abort are nobody's failure. */
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

/** The bare message: undici's errors can hang on to whole requests. */
function plain(thrown: unknown): Error {
  return new Error(describeError(thrown));
}

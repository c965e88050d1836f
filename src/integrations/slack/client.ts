import { LogLevel, WebClient, type Logger as SlackLogger, type WebClientOptions } from "@slack/web-api";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import { secretRegistry } from "../../shared/redact.ts";
import { withinSignal } from "../../shared/within-signal.ts";
import { isProviderFailure, ProviderError } from "../errors.ts";
import { createPace, createPauses, type Pace, type PacedCall, type Pauses } from "../pace.ts";
import { providerError } from "./failures.ts";
import { limits, retries, unnamedPauseMs, type Limit, type Method } from "./limits.ts";

/** The most channels whose pace is remembered; the channel that was used longest ago is removed. */
const maxPaces = 1_000;
const usual: PacedCall = { urgency: "Answer" };

/** Settings of one sign-in. */
export interface ClientSettings {
  /** Web address without path, for example `https://slack.com`. */
  url: string;
  host: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Logger;
  /** Space out calls, as Slack asks for; `false` only in tests. */
  throttle: boolean;
}

/** Slack's Web API for one bot token. Throws `ProviderError`; `doing` completes the sentence "cannot …". */
export interface SlackClient {
  settings: ClientSettings;
  call<A>(call: SlackCall, signal: AbortSignal): Promise<A>;
  /** Asks for the turn of a call, as `Pace.ask`; also waits for a pause that Slack asked for. */
  ask(call: Pick<SlackCall, "method" | "args"> & { paced: PacedCall & { ticket: string } }): number;
}

/** One call. `paced`: its urgency, and the ticket of its turn; by default it is an `Answer`. */
export interface SlackCall {
  doing: string;
  method: Method;
  args: Record<string, unknown>;
  paced?: PacedCall;
}

/** Creates the client of a bot token; without a token for the methods that need none. */
export function slackClient(settings: ClientSettings, token?: string): SlackClient {
  if (token !== undefined) secretRegistry.add(token);
  const pauses = createPauses(settings.clock);
  const paceOf = settings.throttle ? paces(settings.clock) : undefined;
  return {
    settings,
    ask({ method, args, paced }) {
      const key = keyOf(method, args);
      return pauses.leftMs(key) || (paceOf?.(key, limits[method]).ask(paced) ?? 0);
    },
    async call<A>({ doing, method, args, paced = usual }: SlackCall, signal: AbortSignal): Promise<A> {
      const seen: Seen = {};
      const key = keyOf(method, args);
      try {
        signal.throwIfAborted();
        requireNoPause(pauses, key);
        await paceOf?.(key, limits[method]).turn(paced, signal);
        requireNoPause(pauses, key);
        return await withinSignal(send<A>({ settings, token, seen }, method, args, signal), signal);
      } catch (error) {
        signal.throwIfAborted();
        const failure = providerError(error, {
          doing,
          host: settings.host,
          now: settings.clock.now(),
          status: seen.status,
        });
        if (isProviderFailure(failure, "RateLimited")) pauses.asked(key, failure.retryAfterMs ?? unnamedPauseMs);
        throw failure;
      }
    },
  };
}

/** Finds the pace of a method, or of a method in a channel. */
function paces(clock: Clock): (key: string, limit: Limit) => Pace {
  const known = new Map<string, Pace>();
  return (key, limit) => {
    const pace = known.get(key) ?? createPace(clock, limit);
    known.delete(key);
    known.set(key, pace);
    const [oldest] = known.keys();
    if (known.size > maxPaces && oldest !== undefined) known.delete(oldest);
    return pace;
  };
}

interface Seen {
  status?: number;
}

interface Sender {
  settings: ClientSettings;
  token: string | undefined;
  seen: Seen;
}

/** Slack's client takes one `fetch` and no signal, so every call has a client of its own: it is a plain object without connections. */
async function send<A>(
  { settings, token, seen }: Sender,
  method: Method,
  args: Record<string, unknown>,
  signal: AbortSignal,
): Promise<A> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(limits[method].timeoutMs)]);
  const observed: WebClientOptions["fetch"] = async (url, init) => {
    const response = await settings.fetch(url, { ...(init as RequestInit), signal: bounded });
    seen.status = response.status;
    return response;
  };
  const client = new WebClient(token, {
    slackApiUrl: `${settings.url}/api/`,
    fetch: observed,
    retryConfig: { retries },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logger: quietLogger(settings.log),
  });
  return (await client.apiCall(method, args)) as A;
}

function requireNoPause(pauses: Pauses, key: string): void {
  const leftMs = pauses.leftMs(key);
  if (leftMs === 0) return;
  const message = `Slack's rate limit is reached and Slack asked for a pause; Bellhop retries in ${Math.ceil(leftMs / 1_000)} s`;
  throw new ProviderError("RateLimited", message, { retryAfterMs: leftMs });
}

function keyOf(method: Method, args: Record<string, unknown>): string {
  return limits[method].per === "channel" ? `${method} ${String(args["channel"])}` : method;
}

/** Slack's client logs requests and answers, which hold people's messages: only the fact that it warned is logged. */
function quietLogger(log: Logger): SlackLogger {
  const noted = (): void => log.debug({}, "the Slack client warns");
  const no = (): void => {};
  return {
    debug: no,
    info: no,
    warn: noted,
    error: noted,
    setLevel: no,
    setName: no,
    getLevel: () => LogLevel.WARN,
  };
}

import { Octokit } from "@octokit/core";
import { throttling } from "@octokit/plugin-throttling";
import type { Endpoints } from "@octokit/types";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import { withinSignal } from "../../shared/within-signal.ts";
import { providerError } from "./api/failures.ts";
import type { Pace } from "./api/pace.ts";
import type { Pauses } from "./api/pause.ts";

/** Octokit with throttling: few requests at once, and what notifies people spaced as GitHub asks. Nothing is retried; our callers decide that. */
export const ThrottledOctokit = Octokit.plugin(throttling);

/** What every client of one sign-in shares. */
export interface ApiSettings {
  /** Web address without path, for example `https://github.com`. */
  url: string;
  host: string;
  signIn: "app" | "token";
  fetch: typeof fetch;
  clock: Clock;
  log: Logger;
  /** Space requests out (GitHub asks for it); `false` only in tests. */
  throttle: boolean;
  /** When the next write may go. */
  pace: Pace;
  /** What GitHub asked the sign-in's credentials to wait; shared by all that use them. */
  pauses: Pauses;
  /** Keeps sign-ins apart in the throttle; not secret. */
  id: string;
}

/** One signed-in way to GitHub's API. Both throw `ProviderError`; `doing` completes "cannot …". */
export interface Api {
  request<R extends keyof Endpoints>(
    doing: string,
    route: R,
    parameters: Endpoints[R]["parameters"],
    signal: AbortSignal,
  ): Promise<Endpoints[R]["response"]>;
  /** A write that a person waits for: before all that wait for their turn. */
  first: Api["request"];
  /** The answer's `data` as GraphQL gives it, unchecked. */
  graphql(doing: string, query: string, variables: Record<string, unknown>, signal: AbortSignal): Promise<unknown>;
  /** The body as a stream, for answers of unbounded size. */
  stream(
    doing: string,
    route: keyof Endpoints,
    parameters: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
}

/** REST root: `https://api.github.com`, or `<url>/api/v3` on GitHub Enterprise Server. */
export function apiRoot(url: string): string {
  return url === "https://github.com" ? "https://api.github.com" : `${url}/api/v3`;
}

/** Stands where the throttle would space writes out; of its limiter's type, that is all that it calls. */
const letGo = { key: () => ({ schedule: (_options: unknown, go: () => Promise<void>) => go() }) };

/** Options for an Octokit of this sign-in; the caller adds `auth`. */
export function octokitOptions(settings: ApiSettings): ConstructorParameters<typeof ThrottledOctokit>[0] {
  const no = (): boolean => false;
  return {
    baseUrl: apiRoot(settings.url),
    userAgent: "bellhop",
    request: { fetch: settings.fetch },
    // Octokit's own warnings quote URLs of ours only; at debug they are not lost.
    log: {
      debug: () => {},
      info: () => {},
      warn: (message: string) => settings.log.debug({ message }, "octokit warns"),
      error: (message: string) => settings.log.debug({ message }, "octokit reports an error"),
    },
    throttle: {
      enabled: settings.throttle,
      // Ours (pace.ts) knows what is urgent, and what was given up.
      write: letGo as never,
      id: settings.id,
      onRateLimit: no,
      onSecondaryRateLimit: no,
    },
  };
}

/** Wraps an Octokit so that calls can be aborted, fail in our words, and keep the pause that GitHub asked this credential for. */
export function apiOf(octokit: Octokit, settings: ApiSettings, credential: string): Api {
  const politely = keepingPauses(settings, credential);
  const call = async (
    doing: string,
    route: string,
    parameters: Record<string, unknown>,
    { signal, urgent = false }: { signal: AbortSignal; urgent?: boolean },
  ): Promise<unknown> =>
    politely(
      doing,
      signal,
      () => octokit.request(route, parameters),
      isPaced(route) ? () => settings.pace.turn({ urgent }, signal) : undefined,
    );
  const requester =
    (urgent: boolean): Api["request"] =>
    async <R extends keyof Endpoints>(
      doing: string,
      route: R,
      parameters: Endpoints[R]["parameters"],
      signal: AbortSignal,
    ) =>
      (await call(
        doing,
        route,
        { ...parameters, request: { signal } },
        { signal, urgent },
      )) as Endpoints[R]["response"];

  return {
    request: requester(false),
    first: requester(true),
    graphql: (doing, query, variables, signal) =>
      politely(doing, signal, () => octokit.graphql(query, { ...variables, request: { signal } })),
    stream: async (doing, route, parameters, signal) => {
      const request = { signal, parseSuccessResponseBody: false };
      const answer = (await call(doing, route, { ...parameters, request }, { signal })) as {
        data: ReadableStream<Uint8Array>;
      };
      return answer.data;
    },
  };
}

/** What changes something; not the minting of tokens, which GitHub does not count. */
function isPaced(route: string): boolean {
  return !route.startsWith("GET ") && !route.endsWith("/access_tokens");
}

type Politely = <T>(
  doing: string,
  signal: AbortSignal,
  run: () => Promise<T>,
  turn?: () => Promise<void>,
) => Promise<T>;

/** Calls in a pause fail here, with the time that is left, also those that waited for their turn when it began. */
function keepingPauses(settings: ApiSettings, credential: string): Politely {
  const { pauses } = settings;
  const requireNoPause = (): void => {
    const leftMs = pauses.leftMs(credential);
    if (leftMs > 0) throw askedToWait(leftMs);
  };
  return async (doing, signal, run, turn) => {
    try {
      return await inOurWords(settings, doing, signal, async () => {
        requireNoPause();
        await turn?.();
        requireNoPause();
        return run();
      });
    } catch (error) {
      if (isProviderFailure(error, "RateLimited")) pauses.asked(credential, error.retryAfterMs ?? 0);
      throw error;
    }
  };
}

function askedToWait(leftMs: number): ProviderError {
  const message = `GitHub's rate limit is reached and it asked for a pause; it is tried again in ${Math.ceil(leftMs / 1000)} s`;
  return new ProviderError("RateLimited", message, { retryAfterMs: leftMs });
}

/**
 * Runs one call: an abort stays the caller's, everything else becomes a `ProviderError`. Nothing is waited for after an abort,
 * not the throttle's turn either, which knows nothing of signals: what it lets through then ends before it is sent.
 */
export async function inOurWords<T>(
  settings: ApiSettings,
  doing: string,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await withinSignal(run(), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw providerError(error, {
      doing,
      host: settings.host,
      signIn: settings.signIn,
      now: settings.clock.now(),
    });
  }
}

import { Octokit } from "@octokit/core";
import { throttling } from "@octokit/plugin-throttling";
import type { Endpoints } from "@octokit/types";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import { withinSignal } from "../../shared/within-signal.ts";
import { providerError } from "./failures.ts";
import type { Pace, Pauses } from "../pace.ts";
import { retries } from "./limits.ts";

/** Octokit with throttling: few requests at once, and a pause between requests that notify people. It never retries; our callers decide that. */
export const ThrottledOctokit = Octokit.plugin(throttling);

/** Settings that all clients of one sign-in share. */
export interface ApiSettings {
  /** Web address without path, for example `https://github.com`. */
  url: string;
  host: string;
  signIn: "app" | "token";
  fetch: typeof fetch;
  clock: Clock;
  log: Logger;
  /** Throttle requests, as GitHub asks for; `false` only in tests. */
  throttle: boolean;
  /** Decides when the next write may be sent. */
  pace: Pace;
  /** The pauses that GitHub asked for, per credential; shared by everything that uses these credentials. */
  pauses: Pauses;
  /** Identifies the sign-in in the throttle; not secret. */
  id: string;
}

/** GitHub's API for one credential. All methods throw `ProviderError`; `doing` completes the sentence "cannot …". */
export interface Api {
  request<R extends keyof Endpoints>(
    doing: string,
    route: R,
    parameters: Endpoints[R]["parameters"],
    signal: AbortSignal,
  ): Promise<Endpoints[R]["response"]>;
  /** Sends a write that a person waits for, ahead of all other waiting writes. */
  first: Api["request"];
  /** Returns the `data` of the GraphQL answer, unchecked. */
  graphql(doing: string, query: string, variables: Record<string, unknown>, signal: AbortSignal): Promise<unknown>;
  /** Returns the body as a stream, for answers of unbounded size. */
  stream(
    doing: string,
    route: keyof Endpoints,
    parameters: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
}

/** Root URL of the REST API: `https://api.github.com`, or `<url>/api/v3` on GitHub Enterprise Server. */
export function apiRoot(url: string): string {
  return url === "https://github.com" ? "https://api.github.com" : `${url}/api/v3`;
}

/** Replaces the plugin's limiter for writes and runs every write at once. The plugin calls no other method of the limiter. */
const noLimiter = { key: () => ({ schedule: (_options: unknown, go: () => Promise<void>) => go() }) };

/** Options for an Octokit of this sign-in; the caller adds `auth`. */
export function octokitOptions(settings: ApiSettings): ConstructorParameters<typeof ThrottledOctokit>[0] {
  const retry = (): boolean => retries.afterRateLimit;
  return {
    baseUrl: apiRoot(settings.url),
    userAgent: "bellhop",
    request: { fetch: settings.fetch },
    // Octokit's warnings quote only our own URLs, so they are safe to log; debug is enough.
    log: {
      debug: () => {},
      info: () => {},
      warn: (message: string) => settings.log.debug({ message }, "octokit logged a warning"),
      error: (message: string) => settings.log.debug({ message }, "octokit logged an error"),
    },
    throttle: {
      enabled: settings.throttle,
      // Our own pace (pace.ts) replaces it, because it knows urgent and aborted writes.
      write: noLimiter as never,
      id: settings.id,
      onRateLimit: retry,
      onSecondaryRateLimit: retry,
    },
  };
}

/** Wraps an Octokit: calls can be aborted, throw `ProviderError`, and respect the pause that GitHub asked this credential for. */
export function apiOf(octokit: Octokit, settings: ApiSettings, credential: string): Api {
  const run = respectingPauses(settings, credential);
  const call = async (
    doing: string,
    route: string,
    parameters: Record<string, unknown>,
    { signal, urgent = false }: { signal: AbortSignal; urgent?: boolean },
  ): Promise<unknown> =>
    run(
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
      run(doing, signal, () => octokit.graphql(query, { ...variables, request: { signal } })),
    stream: async (doing, route, parameters, signal) => {
      const request = { signal, parseSuccessResponseBody: false };
      const answer = (await call(doing, route, { ...parameters, request }, { signal })) as {
        data: ReadableStream<Uint8Array>;
      };
      return answer.data;
    },
  };
}

/** Whether a route is a write that must be paced. GitHub does not count the minting of tokens. */
function isPaced(route: string): boolean {
  return !route.startsWith("GET ") && !route.endsWith("/access_tokens");
}

type RunCall = <T>(doing: string, signal: AbortSignal, run: () => Promise<T>, turn?: () => Promise<void>) => Promise<T>;

/** Calls during a pause fail with the remaining time, including calls that were waiting for their turn when the pause began. */
function respectingPauses(settings: ApiSettings, credential: string): RunCall {
  const { pauses } = settings;
  const requireNoPause = (): void => {
    const leftMs = pauses.leftMs(credential);
    if (leftMs > 0) throw paused(leftMs);
  };
  return async (doing, signal, run, turn) => {
    try {
      return await withProviderErrors(settings, doing, signal, async () => {
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

function paused(leftMs: number): ProviderError {
  const message = `GitHub's rate limit is reached and GitHub asked for a pause; Bellhop retries in ${Math.ceil(leftMs / 1000)} s`;
  return new ProviderError("RateLimited", message, { retryAfterMs: leftMs });
}

/**
 * Runs one call and converts its errors to `ProviderError`; the caller's own abort is rethrown as it is. Returns at once after an
 * abort. The throttle does not know abort signals: a request that it releases later ends before it is sent.
 */
export async function withProviderErrors<T>(
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

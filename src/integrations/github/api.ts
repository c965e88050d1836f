import type { Octokit } from "@octokit/core";
import type { Endpoints } from "@octokit/types";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import { ProviderError, isProviderFailure } from "../errors.ts";
import { withinSignal } from "../../shared/within-signal.ts";
import { providerError } from "./failures.ts";
import type { Pace, PacedCall, Pauses } from "../pace.ts";

/** Settings that all clients of one sign-in share. */
export interface ApiSettings {
  /** Web address without path, for example `https://github.com`. */
  url: string;
  host: string;
  signIn: "app" | "token";
  fetch: typeof fetch;
  clock: Clock;
  log: Logger;
  /** Decides when the next write may be sent. */
  pace: Pace;
  /** The pauses that GitHub asked for, per credential; shared by everything that uses these credentials. */
  pauses: Pauses;
}

/** GitHub's API for one credential. All methods throw `ProviderError`; `doing` completes the sentence "cannot …". */
export interface Api {
  request<R extends keyof Endpoints>(
    doing: string,
    route: R,
    parameters: Endpoints[R]["parameters"],
    signal: AbortSignal,
  ): Promise<Endpoints[R]["response"]>;
  /** Sends writes with this urgency, and in the turn that was reserved for the ticket. `request` sends them as `Answer`. */
  paced(call: PacedCall): Api["request"];
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

/**
 * Options for an Octokit of this sign-in; the caller adds `auth`. Octokit never retries and never delays: our callers decide about retries, and our
 * own pace (pace.ts) about the time of a write. Octokit's throttling plugin would run behind it, and release writes in groups.
 */
export function octokitOptions(settings: ApiSettings): NonNullable<ConstructorParameters<typeof Octokit>[0]> {
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
  };
}

/** Wraps an Octokit: calls can be aborted, throw `ProviderError`, and respect the pause that GitHub asked this credential for. */
export function apiOf(octokit: Octokit, settings: ApiSettings, credential: string): Api {
  const run = respectingPauses(settings, credential);
  const call = async (
    doing: string,
    route: string,
    parameters: Record<string, unknown>,
    { signal, paced }: { signal: AbortSignal; paced: PacedCall },
  ): Promise<unknown> =>
    run(
      doing,
      signal,
      () => octokit.request(route, parameters),
      isPaced(route) ? () => settings.pace.turn(paced, signal) : undefined,
    );
  const requester =
    (paced: PacedCall): Api["request"] =>
    async <R extends keyof Endpoints>(
      doing: string,
      route: R,
      parameters: Endpoints[R]["parameters"],
      signal: AbortSignal,
    ) =>
      (await call(doing, route, { ...parameters, request: { signal } }, { signal, paced })) as Endpoints[R]["response"];

  return {
    request: requester(usual),
    paced: requester,
    graphql: (doing, query, variables, signal) =>
      run(doing, signal, () => octokit.graphql(query, { ...variables, request: { signal } })),
    stream: async (doing, route, parameters, signal) => {
      const request = { signal, parseSuccessResponseBody: false };
      const answer = (await call(doing, route, { ...parameters, request }, { signal, paced: usual })) as {
        data: ReadableStream<Uint8Array>;
      };
      return answer.data;
    },
  };
}

/** The urgency of writes that do not name theirs: hooks, changes, everything that a step waits for. */
const usual: PacedCall = { urgency: "Answer" };

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
 * abort, also while Octokit mints a token for the call.
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

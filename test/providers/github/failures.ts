import type { Clock } from "../../../src/shared/clock.ts";

/** The requests that fail: all given fields must match. `path` has no host and no query; REST paths have no `/api/v3`. */
export interface FailureMatch {
  method?: string;
  /** The whole path as a string, which may end in `*`, or a pattern. */
  path?: string | RegExp;
}

/** The failure that replaces or follows the right answer. */
export type Failure =
  | { kind: "answer"; status: number; headers?: Record<string, string>; body?: unknown }
  /** The answer is right but late. */
  | { kind: "slow"; delayMs: number }
  /** The request has no effect, and the connection is reset. */
  | { kind: "reset" }
  /** The request takes effect, and then the connection is reset, so the caller does not know the result. */
  | { kind: "dropAnswer" };

/** How long an injection is active: for a number of requests, or until a time or condition. Without both, until it is stopped. */
export interface FailureSpan {
  times?: number;
  until?: Date | (() => boolean);
}

/** An injected failure. */
export interface Injection {
  /** How many requests have failed because of it. */
  readonly hits: number;
  stop(): void;
}

/** The list of injected failures. */
export interface Failures {
  add(match: FailureMatch, failure: Failure, span?: FailureSpan): Injection;
  /** Returns the failure for a request and counts it. */
  take(method: string, path: string): Failure | undefined;
  clear(): void;
}

interface Waiting {
  match: FailureMatch;
  failure: Failure;
  span: FailureSpan;
  hits: number;
}

/** Creates the list. If several injections match a request, the oldest one applies. */
export function createFailures(clock: Clock): Failures {
  let list: Waiting[] = [];
  return {
    add(match, failure, span = {}) {
      const waiting: Waiting = { match, failure, span, hits: 0 };
      list.push(waiting);
      return {
        get hits() {
          return waiting.hits;
        },
        stop() {
          list = list.filter((other) => other !== waiting);
        },
      };
    },
    take(method, path) {
      list = list.filter((waiting) => holds(waiting, clock.now()));
      const found = list.find(({ match }) => fits(match, method, path));
      if (found) found.hits += 1;
      return found?.failure;
    },
    clear() {
      list = [];
    },
  };
}

/** Failures of GitHub, with its exact messages. */
export const failing = {
  /** The hourly limit is used up; `resetAt` is when it is reset. GitHub answers 403 or 429. */
  primaryRateLimit(resetAt: Date, status: 403 | 429 = 403): Failure {
    const reset = String(Math.ceil(resetAt.getTime() / 1000));
    const message = "API rate limit exceeded for installation ID 1.";
    const headers = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000" };
    return {
      kind: "answer",
      status,
      headers: { ...headers, "x-ratelimit-reset": reset, "x-ratelimit-resource": "core" },
      body: { message, documentation_url: "https://docs.github.com/rest/rate-limit" },
    };
  },
  secondaryRateLimit(retryAfterSeconds: number, status: 403 | 429 = 403): Failure {
    const message =
      "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.";
    return {
      kind: "answer",
      status,
      headers: { "retry-after": String(retryAfterSeconds) },
      body: { message, documentation_url: "https://docs.github.com/rest/secondary-rate-limits" },
    };
  },
  notFound: (): Failure => ({ kind: "answer", status: 404, body: { message: "Not Found", status: "404" } }),
  serverError: (): Failure => ({ kind: "answer", status: 500, body: { message: "Server Error" } }),
  /** An HTML page of a load balancer instead of JSON. */
  badGateway: (): Failure => ({
    kind: "answer",
    status: 502,
    headers: { "content-type": "text/html" },
    body: "<html><body><h1>502 Bad Gateway</h1></body></html>",
  }),
  slow: (delayMs: number): Failure => ({ kind: "slow", delayMs }),
  reset: (): Failure => ({ kind: "reset" }),
  dropAnswer: (): Failure => ({ kind: "dropAnswer" }),
};

function holds({ span, hits }: Waiting, now: Date): boolean {
  if (span.times !== undefined && hits >= span.times) return false;
  if (span.until instanceof Date) return now < span.until;
  return span.until === undefined || !span.until();
}

function fits(match: FailureMatch, method: string, path: string): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match.path === undefined) return true;
  if (match.path instanceof RegExp) return match.path.test(path);
  return match.path.endsWith("*") ? path.startsWith(match.path.slice(0, -1)) : path === match.path;
}

import type { Clock } from "../../../src/shared/clock.ts";

/** The requests that fail: all given fields must match. `path` has no host and no query; the stand-in says what the path of its requests is. */
export interface RequestMatch {
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
  | { kind: "dropAnswer" }
  /** The request takes effect, and no answer comes: the caller waits until it ends or gives up. */
  | { kind: "keepAnswer" };

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
  add(match: RequestMatch, failure: Failure, span?: FailureSpan): Injection;
  /** Returns the failure for a request and counts it. */
  take(method: string, path: string): Failure | undefined;
  clear(): void;
}

interface Waiting {
  match: RequestMatch;
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

/** Failures that every provider can have. */
export const commonFailures = {
  /** An HTML page of a load balancer instead of JSON. */
  badGateway: (): Failure => ({
    kind: "answer",
    status: 502,
    headers: { "content-type": "text/html" },
    body: "<html><body><h1>502 Bad Gateway</h1></body></html>",
  }),
  /** The answer is right but late. */
  slow: (delayMs: number): Failure => ({ kind: "slow", delayMs }),
  /** The request has no effect, and the connection is reset. */
  reset: (): Failure => ({ kind: "reset" }),
  /** The request takes effect, and then the connection is reset. */
  dropAnswer: (): Failure => ({ kind: "dropAnswer" }),
  /** The request takes effect, and no answer comes, so a test can end the caller in between. */
  keepAnswer: (): Failure => ({ kind: "keepAnswer" }),
};

function holds({ span, hits }: Waiting, now: Date): boolean {
  if (span.times !== undefined && hits >= span.times) return false;
  if (span.until instanceof Date) return now < span.until;
  return span.until === undefined || !span.until();
}

function fits(match: RequestMatch, method: string, path: string): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match.path === undefined) return true;
  if (match.path instanceof RegExp) return match.path.test(path);
  return match.path.endsWith("*") ? path.startsWith(match.path.slice(0, -1)) : path === match.path;
}

import { commonFailures } from "../stand-in/failures.ts";
import type { Failure, Failures, FailureSpan, Injection } from "../stand-in/failures.ts";

/** The calls that fail: all given fields must match. */
export interface FailureMatch {
  /** For example `chat.update`, or `chat.*`; all methods by default. */
  method?: string;
  /** A channel's id. */
  channel?: string;
}

/** The failure of a call. */
export type SlackFault = Failure;

/** Injects a failure into the list. */
export function inject(list: Failures, match: FailureMatch, failure: Failure, span?: FailureSpan): Injection {
  const method = (match.method ?? "*").replaceAll(".", "\\.").replaceAll("*", ".*");
  const channel = match.channel ?? "\\S*";
  return list.add({ path: new RegExp(`^${method} ${channel}$`) }, failure, span);
}

/** Returns the failure of a call and counts it. */
export function take(list: Failures, method: string, channel: string | undefined): Failure | undefined {
  return list.take("POST", `${method} ${channel ?? ""}`);
}

/** Failures of Slack, with its exact answers. */
export const failing = {
  /** Slack's only use of a status beside 200 and 5xx. */
  rateLimited: (retryAfterSeconds: number): Failure => ({
    kind: "answer",
    status: 429,
    headers: { "retry-after": String(retryAfterSeconds) },
    body: { ok: false, error: "ratelimited" },
  }),
  /** An answer `{"ok":false,"error":…}` with HTTP 200, for example `fatal_error` or `internal_error`. */
  error: (code: string, more: Record<string, unknown> = {}): Failure => ({
    kind: "answer",
    status: 200,
    body: { ok: false, error: code, ...more },
  }),
  serverError: (status = 500): Failure => ({ kind: "answer", status, body: { ok: false, error: "internal_error" } }),
  ...commonFailures,
  /** HTTP 200 with a body that is cut off. */
  malformed: (): Failure => ({
    kind: "answer",
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: '{"ok":true,"channel":"C0',
  }),
};

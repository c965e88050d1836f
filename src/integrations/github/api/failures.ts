import { BellhopError, describeError } from "../../../shared/errors.ts";
import { secretRegistry } from "../../../shared/redact.ts";
import type { ProviderFailure } from "../../connection.ts";
import { ProviderError } from "../../errors.ts";
import { retryAfterMs } from "../../http/retry-after.ts";

const maxQuoted = 300;
/** GitHub, "Best practices for using the REST API": wait at least one minute where a secondary limit names no time. */
const secondaryWaitMs = 60_000;

/** What was being done when a call failed, for the sentence. */
export interface Attempted {
  /** Completes "cannot …", for example `read acme/shop#42`. */
  doing: string;
  host: string;
  signIn: "app" | "token";
  now: Date;
}

/** An answer of GitHub's as far as it decides. */
interface Answer {
  status: number;
  message: string;
  /** By lower-case name. */
  headers: Record<string, string | undefined>;
}

/** Turns anything that Octokit throws into an error of ours; it never carries a request, a header or a body. */
export function providerError(thrown: unknown, attempted: Attempted): BellhopError {
  const ours = ourOwn(thrown);
  if (ours) return restated(ours, attempted);
  const answer = answerOf(thrown);
  if (!answer) return new ProviderError("Unavailable", said(attempted, quote(describeError(thrown))));
  const failure = failureOf(answer);
  const waitMs = failure === "RateLimited" || failure === "Unavailable" ? waitOf(answer, attempted.now) : undefined;
  const why = `GitHub answered ${answer.status} "${quote(answer.message)}"`;
  return new ProviderError(failure, said(attempted, why, advice(failure, answer, attempted, waitMs)), {
    status: answer.status,
    raw: answer.message,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/** Which kind of no an answer is. */
function failureOf(answer: Answer): ProviderFailure {
  const { status, message } = answer;
  if (status === 403 || status === 429) return refusalOf(answer);
  if (status >= 500) return "Unavailable";
  const known: Record<number, ProviderFailure> = {
    401: "Unauthorized",
    404: "NotFound",
    409: "Conflict",
    410: "NotFound",
    451: "Forbidden",
  };
  return known[status] ?? (/suspended/i.test(message) ? "Suspended" : "Invalid");
}

/** 403 and 429 are rate limits as often as refusals; primary limits say so in a header, secondary ones in words. */
function refusalOf({ status, message, headers }: Answer): ProviderFailure {
  if (headers["x-ratelimit-remaining"] === "0" || status === 429) return "RateLimited";
  if (/secondary rate limit|abuse detection/i.test(message) || headers["retry-after"]) return "RateLimited";
  return /suspended/i.test(message) ? "Suspended" : "Forbidden";
}

function waitOf(answer: Answer, now: Date): number | undefined {
  const asked = retryAfterMs(answer.headers["retry-after"], now);
  if (answer.status >= 500) return asked;
  if (asked !== undefined) return asked;
  const resetS = Number(answer.headers["x-ratelimit-reset"]);
  const primary = answer.headers["x-ratelimit-remaining"] === "0" && resetS > 0;
  return primary ? Math.max(1000, resetS * 1000 - now.getTime() + 1000) : secondaryWaitMs;
}

function advice(
  failure: ProviderFailure,
  answer: Answer,
  { signIn }: Attempted,
  waitMs: number | undefined,
): string | undefined {
  const needs = answer.headers["x-accepted-github-permissions"];
  const advices: Partial<Record<ProviderFailure, string>> = {
    Unauthorized:
      signIn === "app"
        ? "Check the App's id and private key, and that the key was not deleted on the App's settings page."
        : "The token is wrong, expired or revoked: put a new one into the Secret.",
    Forbidden: `Give the ${signIn === "app" ? "App" : "token"} the permission that this needs${needs ? ` (${quote(needs)})` : ""}${signIn === "app" ? ", and accept it for the installation." : "."}`,
    Suspended: "The installation is suspended: an owner un-suspends it under Settings, GitHub Apps.",
    NotFound: `It is gone, or the ${signIn === "app" ? "App is not installed there" : "token does not reach it"}.`,
    RateLimited: `GitHub's rate limit is reached; it is tried again in ${Math.ceil((waitMs ?? 0) / 1000)} s.`,
    Unavailable: "It is tried again by itself.",
  };
  return advices[failure];
}

function said(attempted: Attempted, why: string, what?: string): string {
  return `cannot ${attempted.doing} at ${attempted.host}: ${why}${what ? `. ${what}` : ""}`;
}

function restated(error: BellhopError, attempted: Attempted): BellhopError {
  const message = said(attempted, error.message);
  if (!(error instanceof ProviderError)) return new BellhopError(error.code, message, { retryable: error.retryable });
  return new ProviderError(error.failure, message, {
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

function ourOwn(thrown: unknown): BellhopError | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof BellhopError) return at;
  }
  return undefined;
}

/** The answer inside Octokit's RequestError; undefined where nothing answered. */
function answerOf(thrown: unknown): Answer | undefined {
  if (!(thrown instanceof Error) || !("response" in thrown)) return undefined;
  const response = thrown.response as
    | { status?: unknown; headers?: Record<string, string | undefined>; data?: unknown }
    | undefined;
  if (typeof response?.status !== "number") return undefined;
  return {
    status: response.status,
    message: messageOf(response.data) ?? thrown.message,
    headers: response.headers ?? {},
  };
}

/** `message` and the words of `errors`, which say what was wrong with a 422. */
function messageOf(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || !("message" in data)) return undefined;
  const errors = "errors" in data && Array.isArray(data.errors) ? (data.errors as unknown[]) : [];
  const words = errors.map((error) =>
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : JSON.stringify(error),
  );
  return [String(data.message), ...words].join(": ");
}

function quote(text: string): string {
  const line = secretRegistry.redact(text).replace(/\s+/g, " ").trim();
  return line.length > maxQuoted ? `${line.slice(0, maxQuoted)}…` : line;
}

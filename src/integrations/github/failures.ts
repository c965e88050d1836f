import { describeError, type BellhopError } from "../../shared/errors.ts";
import { secretRegistry } from "../../shared/redact.ts";
import type { ProviderFailure } from "../connection.ts";
import { firstBellhopError, ProviderError, withMessage } from "../errors.ts";
import { retryAfterMs } from "../http/retry-after.ts";
import { defined } from "../../shared/defined.ts";
import { resetMarginMs, unnamedPauseMs } from "./limits.ts";

const maxQuoted = 300;

/** The call that failed, for the error message. */
export interface Attempted {
  /** Completes "cannot …", for example `read acme/shop#42`. */
  doing: string;
  host: string;
  signIn: "app" | "token";
  now: Date;
}

/** The parts of GitHub's answer that decide about the kind of failure. */
interface Answer {
  status: number;
  message: string;
  /** By lower-case name. */
  headers: Record<string, string | undefined>;
}

/** Converts anything that Octokit throws to a `BellhopError`. The error never carries a request, a header or a body. */
export function providerError(thrown: unknown, attempted: Attempted): BellhopError {
  const ours = firstBellhopError(thrown);
  if (ours) return withMessage(ours, messageFor(attempted, ours.message));
  const answer = answerOf(thrown);
  if (!answer) return new ProviderError("Unavailable", messageFor(attempted, quote(describeError(thrown))));
  const failure = failureOf(answer);
  const waitMs = failure === "RateLimited" || failure === "Unavailable" ? waitOf(answer, attempted.now) : undefined;
  const why = `GitHub answered ${answer.status} "${quote(answer.message)}"`;
  return new ProviderError(failure, messageFor(attempted, why, advice(failure, answer, attempted, waitMs)), {
    status: answer.status,
    raw: answer.message,
    ...defined({ retryAfterMs: waitMs }),
  });
}

/** The kind of failure that an answer means. */
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

/** 403 and 429 can be rate limits or refusals. A primary rate limit shows in a header, a secondary one in the message. */
function refusalOf({ status, message, headers }: Answer): ProviderFailure {
  if (headers["x-ratelimit-remaining"] === "0" || status === 429) return "RateLimited";
  if (/secondary rate limit|abuse detection/i.test(message) || headers["retry-after"]) return "RateLimited";
  if (/\bis locked\b|\barchived\b/i.test(message)) return "Locked";
  return /suspended/i.test(message) ? "Suspended" : "Forbidden";
}

function waitOf(answer: Answer, now: Date): number | undefined {
  const asked = retryAfterMs(answer.headers["retry-after"], now);
  if (answer.status >= 500) return asked;
  if (asked !== undefined) return asked;
  const resetS = Number(answer.headers["x-ratelimit-reset"]);
  const primary = answer.headers["x-ratelimit-remaining"] === "0" && resetS > 0;
  return primary ? Math.max(resetMarginMs, resetS * 1000 - now.getTime() + resetMarginMs) : unnamedPauseMs;
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
    Locked: "Nothing can be written there until somebody unlocks or unarchives it.",
    Suspended: "The installation is suspended: an owner un-suspends it under Settings, GitHub Apps.",
    NotFound: `It does not exist any more, or the ${signIn === "app" ? "App is not installed there" : "token has no access to it"}.`,
    RateLimited: `GitHub's rate limit is reached; Bellhop retries in ${Math.ceil((waitMs ?? 0) / 1000)} s.`,
    Unavailable: "Bellhop retries automatically.",
  };
  return advices[failure];
}

function messageFor(attempted: Attempted, why: string, advice?: string): string {
  return `cannot ${attempted.doing} at ${attempted.host}: ${why}${advice ? `. ${advice}` : ""}`;
}

/** The answer inside Octokit's RequestError; undefined if there was no answer. */
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

/** `message`, and the messages in `errors`, which explain a 422. */
function messageOf(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || !("message" in data)) return undefined;
  const errors = "errors" in data && Array.isArray(data.errors) ? (data.errors as unknown[]) : [];
  const details = errors.map((error) =>
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : JSON.stringify(error),
  );
  return [String(data.message), ...details].join(": ");
}

function quote(text: string): string {
  const line = secretRegistry.redact(text).replace(/\s+/g, " ").trim();
  return line.length > maxQuoted ? `${line.slice(0, maxQuoted)}…` : line;
}

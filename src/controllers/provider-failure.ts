import { isProviderFailure, ProviderError } from "../integrations/errors.ts";
import { ApiError } from "../kube/errors.ts";
import type { Result } from "../kube/types.ts";
import { BellhopError } from "../shared/errors.ts";

/** The shortest wait before a retry, even if the provider permits a retry at once. */
const leastWaitMs = 1_000;
/** The wait before a retry if the provider names none. */
const defaultWaitMs = 15_000;

/**
 * When to reconcile again after a failure: after the wait that the provider asked for, or after `plannedMs` if that is earlier. Throws every
 * other error, so that the work queue retries with back-off.
 */
export function requeueAfterFailure(error: unknown, plannedMs?: number): Result {
  const askedMs = askedWaitMs(error);
  if (askedMs === undefined) throw error;
  return { requeueAfterMs: Math.min(askedMs, plannedMs ?? askedMs) };
}

/** The wait before a retry, in milliseconds, for controllers that show the error in a condition and do not throw it. */
export function retryWaitMs(error: unknown): number {
  return askedWaitMs(error) ?? defaultWaitMs;
}

/** Whether the failure passes by itself: the provider does not answer, or limits the rate of calls. */
export function isTemporary(error: unknown): error is ProviderError {
  return isProviderFailure(error, "RateLimited", "Unavailable");
}

/** Whether the provider refused this call for good: the same call would get the same answer again. */
export function isFinalRefusal(error: unknown): error is ProviderError {
  return isProviderFailure(error, "NotFound", "Forbidden", "Locked", "Invalid");
}

/** Whether the integration has no access: a retry cannot help until a person changes credentials or permissions. */
export function lacksAccess(error: unknown): error is ProviderError {
  return isProviderFailure(error, "Unauthorized", "Forbidden", "NotFound", "Suspended");
}

/** Whether a condition may show the error. Errors of the API server and faults of the code say nothing about the object that has the condition. */
export function isForCondition(error: unknown): error is BellhopError {
  return error instanceof BellhopError && !(error instanceof ApiError);
}

/** A condition without its type. */
interface RetryCondition {
  status: "Unknown";
  reason: string;
  message: string;
}

/** The condition of a step that failed and is retried. */
export function retryCondition({ code, message }: Pick<BellhopError, "code" | "message">): RetryCondition {
  return { status: "Unknown", reason: code, message: withRetryNotice(message) };
}

const sentenceEnd = /[.!?…]["'”’)\]]*$/;

/** Adds the notice, after a full stop if the message has no sentence end of its own. */
export function withRetryNotice(message: string, notice = "Trying again."): string {
  const said = message.trimEnd();
  return `${said}${said === "" || sentenceEnd.test(said) ? "" : "."} ${notice}`.trimStart();
}

/** The wait that the provider asked for, in milliseconds; undefined if it did not name one. */
function askedWaitMs(error: unknown): number | undefined {
  const askedMs = error instanceof ProviderError ? error.retryAfterMs : undefined;
  return askedMs === undefined ? undefined : Math.max(leastWaitMs, askedMs);
}

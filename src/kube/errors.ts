import { BellhopError } from "../shared/errors.ts";
import { secretRegistry } from "../shared/redact.ts";

const maxMessageLength = 1_000;
const retryableStatus = new Set([0, 408, 429, 500, 502, 503, 504]);

/** What `ApiError` is made of. */
export interface ApiErrorDetails {
  /** HTTP status, or 0 where no answer came. */
  status: number;
  /** The API server's own word, such as `NotFound`; `Unreachable` where no answer came. */
  reason: string;
  message: string;
  /** `details.causes[].reason` of the answer, such as `NamespaceTerminating`. */
  causes?: string[];
  /** From `Retry-After` or `details.retryAfterSeconds`. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** A call to the API server that failed. The message is for people and carries no header, body or token. */
export class ApiError extends BellhopError {
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly string[];
  readonly retryAfterMs: number | undefined;

  constructor(details: ApiErrorDetails) {
    super(details.reason, secretRegistry.redact(details.message).slice(0, maxMessageLength), {
      retryable: retryableStatus.has(details.status) || details.reason === "Conflict",
      cause: details.cause,
      raw: details.message,
    });
    this.name = "ApiError";
    this.status = details.status;
    this.reason = details.reason;
    this.causes = details.causes ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** A reconcile that failed for good: it is not tried again before the object changes. */
export class TerminalError extends BellhopError {
  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(code, message, { ...options, retryable: false });
    this.name = "TerminalError";
  }
}

/** The object is not there. */
export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 404;
}

/** The object changed since it was read: read again, decide again. */
export function isConflict(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.reason === "Conflict";
}

/** An object of that name is there already. */
export function isAlreadyExists(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.reason === "AlreadyExists";
}

/** The version asked for is no longer known: list anew. */
export function isGone(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 410;
}

/** An object quota is used up (403; the server has no other mark for it than its words). */
export function isQuotaExceeded(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 403 && thrown.says(/exceeded quota/);
}

/** The namespace is going away; nothing can be created in it any more. */
export function isNamespaceTerminating(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.causes.includes("NamespaceTerminating");
}

/** The error in an answer: `body` is a `Status` object where the API server itself spoke, anything else where a proxy did. */
export function errorFromAnswer(what: string, status: number, body: unknown, retryAfter?: string): ApiError {
  const wire: WireStatus = typeof body === "object" && body !== null ? body : {};
  const reason = textOr(wire.reason, `HTTP${status}`);
  const seconds = Number(retryAfter ?? wire.details?.retryAfterSeconds);
  return new ApiError({
    status,
    reason,
    message: `${what}: ${textOr(wire.message, "the server gave no reason")} (${status} ${reason})`,
    causes: (wire.details?.causes ?? []).map((cause) => textOr(cause.reason, "")),
    ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}

interface WireStatus {
  reason?: unknown;
  message?: unknown;
  details?: { causes?: { reason?: unknown }[]; retryAfterSeconds?: unknown };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

/** The error where no answer came, or it broke off. */
export function unreachable(what: string, cause: unknown): ApiError {
  return new ApiError({ status: 0, reason: "Unreachable", message: `${what}: the API server did not answer`, cause });
}

import { BellhopError } from "../shared/errors.ts";
import { secretRegistry } from "../shared/redact.ts";

const maxMessageLength = 1_000;
const retryableStatus = new Set([0, 408, 429, 500, 502, 503, 504]);

/** Fields of an `ApiError`. */
export interface ApiErrorDetails {
  /** HTTP status, or 0 if there was no answer. */
  status: number;
  /** The reason that the API server gave, such as `NotFound`; `Unreachable` if there was no answer. */
  reason: string;
  message: string;
  /** `details.causes[].reason` of the answer, such as `NamespaceTerminating`. */
  causes?: string[];
  /** From `Retry-After` or `details.retryAfterSeconds`. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** A failed call to the API server. The message is human-readable and contains no header, body or token. */
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

/** A permanent failure of a reconcile: it is not retried before the object changes. */
export class TerminalError extends BellhopError {
  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(code, message, { ...options, retryable: false });
    this.name = "TerminalError";
  }
}

/** Whether the object does not exist. */
export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 404;
}

/** Whether the API server did not answer, or could not work. */
export function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof ApiError && (thrown.status === 0 || thrown.status >= 500);
}

/** Whether the object changed since it was read: the caller reads and decides again. */
export function isConflict(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.reason === "Conflict";
}

/** Whether an object of that name already exists. */
export function isAlreadyExists(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.reason === "AlreadyExists";
}

/** Whether the requested version is no longer known: the caller lists again. */
export function isGone(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 410;
}

/** Whether an object quota is used up (403; only the message text shows it). */
export function isQuotaExceeded(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 403 && thrown.says(/exceeded quota/);
}

/** Whether the namespace is being deleted; nothing can be created in it any more. */
export function isNamespaceTerminating(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.causes.includes("NamespaceTerminating");
}

/** The error in an answer: `body` is a `Status` object from the API server, or anything else from a proxy. */
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

/** The error if there was no answer, or an incomplete one. */
export function unreachable(what: string, cause: unknown): ApiError {
  return new ApiError({ status: 0, reason: "Unreachable", message: `${what}: the API server did not answer`, cause });
}

import { defined } from "../shared/defined.ts";
import { BellhopError, describeError } from "../shared/errors.ts";
import type { ProviderFailure } from "./connection.ts";

/** A provider refused a call or did not answer. `retryAfterMs` is the pause that the provider asked for. */
export class ProviderError extends BellhopError {
  readonly failure: ProviderFailure;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: ProviderFailure,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown; raw?: string } = {},
  ) {
    super(failure, message, {
      retryable: failure === "RateLimited" || failure === "Unavailable",
      ...defined({ cause: options.cause, raw: options.raw }),
    });
    this.name = "ProviderError";
    this.failure = failure;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether this is a `ProviderError` with one of these failures. */
export function isProviderFailure(thrown: unknown, ...failures: ProviderFailure[]): thrown is ProviderError {
  return thrown instanceof ProviderError && failures.includes(thrown.failure);
}

/** Combines several failures into one error: the first retryable one (or else the first) with the messages of all. */
export function combined(errors: readonly BellhopError[], prefix?: string): BellhopError {
  const first = errors.find(({ retryable }) => retryable) ?? errors[0];
  const messages = [...new Set(errors.map(describeError))].join("; ");
  const message = prefix === undefined ? messages : `${prefix}: ${messages}`;
  if (!(first instanceof ProviderError))
    return new BellhopError(first?.code ?? "Failed", message, { retryable: first?.retryable ?? false });
  const { failure, status, retryAfterMs } = first;
  return new ProviderError(failure, message, defined({ status, retryAfterMs }));
}

/** The first `BellhopError` among a thrown value and its causes; libraries wrap the errors of our `fetch`. */
export function firstBellhopError(thrown: unknown): BellhopError | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof BellhopError) return at;
  }
  return undefined;
}

/** The same error with another message. */
export function withMessage(error: BellhopError, message: string): BellhopError {
  if (!(error instanceof ProviderError)) return new BellhopError(error.code, message, { retryable: error.retryable });
  const { failure, status, retryAfterMs } = error;
  return new ProviderError(failure, message, defined({ status, retryAfterMs }));
}

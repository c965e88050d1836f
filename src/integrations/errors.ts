import { BellhopError } from "../shared/errors.ts";
import type { ProviderFailure } from "./connection.ts";

/** A provider said no, or nothing. `retryAfterMs` is what it asked for. */
export class ProviderError extends BellhopError {
  readonly failure: ProviderFailure;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: ProviderFailure,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(failure, message, {
      retryable: failure === "RateLimited" || failure === "Unavailable",
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.name = "ProviderError";
    this.failure = failure;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether a provider refused for this reason. */
export function isProviderFailure(thrown: unknown, ...failures: ProviderFailure[]): thrown is ProviderError {
  return thrown instanceof ProviderError && failures.includes(thrown.failure);
}

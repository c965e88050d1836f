import { defined } from "../shared/defined.ts";
import { BellhopError, describeError } from "../shared/errors.ts";
import type { ProviderFailure } from "./connection.ts";

/** A provider said no, or nothing. `retryAfterMs` is what it asked for. */
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

/** Whether a provider refused for this reason. */
export function isProviderFailure(thrown: unknown, ...failures: ProviderFailure[]): thrown is ProviderError {
  return thrown instanceof ProviderError && failures.includes(thrown.failure);
}

/** An answer of "at once" is no reason to ask without a pause. */
const leastWaitMs = 1_000;

/** How long a provider asked us to wait, in milliseconds; undefined where it did not say. */
export function askedWaitMs(thrown: unknown): number | undefined {
  const askedMs = thrown instanceof ProviderError ? thrown.retryAfterMs : undefined;
  return askedMs === undefined ? undefined : Math.max(leastWaitMs, askedMs);
}

/** Several failures as one: that which waiting may help with, where there is one, with the words of all. */
export function combined(errors: readonly BellhopError[], prefix?: string): BellhopError {
  const first = errors.find(({ retryable }) => retryable) ?? errors[0];
  const words = [...new Set(errors.map(describeError))].join("; ");
  const message = prefix === undefined ? words : `${prefix}: ${words}`;
  if (!(first instanceof ProviderError))
    return new BellhopError(first?.code ?? "Failed", message, { retryable: first?.retryable ?? false });
  const { failure, status, retryAfterMs } = first;
  return new ProviderError(failure, message, defined({ status, retryAfterMs }));
}

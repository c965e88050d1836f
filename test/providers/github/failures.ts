import { commonFailures, type Failure } from "../stand-in/failures.ts";

/** Failures of GitHub, with its exact messages. */
export const failing = {
  /** The hourly limit is used up; `resetAt` is when it is reset. GitHub answers 403 or 429. */
  primaryRateLimit(resetAt: Date, status: 403 | 429 = 403): Failure {
    const reset = String(Math.ceil(resetAt.getTime() / 1000));
    const message = "API rate limit exceeded for installation ID 1.";
    const headers = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000" };
    return {
      kind: "answer",
      status,
      headers: { ...headers, "x-ratelimit-reset": reset, "x-ratelimit-resource": "core" },
      body: { message, documentation_url: "https://docs.github.com/rest/rate-limit" },
    };
  },
  secondaryRateLimit(retryAfterSeconds: number, status: 403 | 429 = 403): Failure {
    const message =
      "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.";
    return {
      kind: "answer",
      status,
      headers: { "retry-after": String(retryAfterSeconds) },
      body: { message, documentation_url: "https://docs.github.com/rest/secondary-rate-limits" },
    };
  },
  notFound: (): Failure => ({ kind: "answer", status: 404, body: { message: "Not Found", status: "404" } }),
  forbidden: (): Failure => ({
    kind: "answer",
    status: 403,
    body: { message: "Resource not accessible by integration" },
  }),
  serverError: (): Failure => ({ kind: "answer", status: 500, body: { message: "Server Error" } }),
  ...commonFailures,
};

/** An answer that is not a success, in GitHub's shape: `{message, errors?, documentation_url, status}`. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly errors: unknown[] | undefined;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, more: { errors?: unknown[]; headers?: Record<string, string> } = {}) {
    super(message);
    this.name = "HttpFailure";
    this.status = status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** A 404 with GitHub's message. */
export function notFound(): HttpFailure {
  return new HttpFailure(404, "Not Found");
}

/** A 422 for an invalid body; each error names its field. */
export function invalid(resource: string, field: string, code: string, message?: string): HttpFailure {
  const error = message === undefined ? { resource, field, code } : { resource, field, code, message };
  return new HttpFailure(422, "Validation Failed", { errors: [error] });
}

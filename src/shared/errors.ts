/** An error with a stable code for machines, a human-readable message, and whether a retry can help. */
export class BellhopError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly #raw: string;

  /** `raw` is the original text of a server, if `message` has a changed version of it; it is only for matching and is never shown. */
  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown; raw?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BellhopError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.#raw = options.raw ?? message;
  }

  /**
   * Whether the original text matches, for errors that only their text identifies. It matches before redaction: redacted values are chosen by
   * teams, and must not change how an error is classified.
   */
  says(pattern: RegExp): boolean {
    return pattern.test(this.#raw);
  }
}

/** The message of any thrown value, with its causes; contains no body, header or token. */
export function describeError(thrown: unknown): string {
  const parts: string[] = [];
  for (
    let at: unknown = thrown;
    at !== undefined && parts.length < 5;
    at = at instanceof Error ? at.cause : undefined
  ) {
    parts.push(at instanceof Error ? at.message || at.name : typeof at === "string" ? at : JSON.stringify(at));
  }
  return parts.join(": ");
}

/** The `code` of a thrown system or Bellhop error, or undefined. */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

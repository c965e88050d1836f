/** An error with a stable code for machines, a message for people, and whether trying again can help. */
export class BellhopError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly #raw: string;

  /** `raw` is what a server said, word for word, where the message shows it otherwise; nothing shows it. */
  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown; raw?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BellhopError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.#raw = options.raw ?? message;
  }

  /**
   * Whether it was said so, where there is no other mark than words. Asked of them as they came: what is taken out of messages are values
   * that teams choose, and none of them shall decide what an error means.
   */
  says(words: RegExp): boolean {
    return words.test(this.#raw);
  }
}

/** The message of anything thrown, with the causes behind it; never a body, a header or a token. */
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

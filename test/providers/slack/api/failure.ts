/** An answer `{"ok":false,"error":…}`. Slack sends it with HTTP 200. */
export class SlackFailure extends Error {
  readonly code: string;
  readonly more: Record<string, unknown>;

  constructor(code: string, more: Record<string, unknown> = {}) {
    super(code);
    this.name = "SlackFailure";
    this.code = code;
    this.more = more;
  }
}

/** The refusal of arguments that do not have the right form; each message names one. */
export function invalidArguments(...messages: string[]): SlackFailure {
  return new SlackFailure("invalid_arguments", { response_metadata: { messages } });
}

/** An error answer of the broker: an HTTP status, a stable code and a human-readable message. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
  }
}

/** The answer to an unauthorized request. It reveals nothing about tasks. */
export const unauthorized = (): Refusal =>
  new Refusal(401, "Unauthorized", "the request has no valid capability; open a session at /v1/session");

/** Something the broker will not do, with an HTTP status, a stable code and a sentence for people. */
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

/** Answers that tell a stranger nothing. */
export const unauthorized = (): Refusal =>
  new Refusal(401, "Unauthorized", "no valid capability; open a session at /v1/session");

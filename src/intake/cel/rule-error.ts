/** Thrown when an expression cannot be compiled as a rule; `code` is the reason. */
export class RuleError extends Error {
  readonly code: "RuleInvalid" | "RuleTooExpensive";

  constructor(code: "RuleInvalid" | "RuleTooExpensive", message: string) {
    super(message);
    this.name = "RuleError";
    this.code = code;
  }
}

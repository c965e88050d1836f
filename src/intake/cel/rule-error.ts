/** Why an expression cannot be a rule. */
export class RuleError extends Error {
  readonly code: "RuleInvalid" | "RuleTooExpensive";

  constructor(code: "RuleInvalid" | "RuleTooExpensive", message: string) {
    super(message);
    this.name = "RuleError";
    this.code = code;
  }
}

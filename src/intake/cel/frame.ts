import type { ASTNode } from "@marcbachmann/cel-js";
import type { Fuel } from "./fuel.ts";

/** The state of one evaluation: the variables, by slot, and the remaining fuel. */
export interface Frame {
  slots: unknown[];
  fuel: Fuel;
}

/** One compiled node. Returns a value or a `Failure`; throws only `FuelExhausted`. */
export type Run = (frame: Frame) => unknown;

/** The state of the compilation: the slot of each variable, and the function that compiles child nodes. */
export interface Scope {
  variables: readonly string[];
  compile(node: ASTNode, scope: Scope): Run;
  /** Charges the cost of compiling a pattern to the budget of all patterns of the rule; throws `RuleError` if the budget is exceeded. */
  chargePattern(cost: number): void;
}

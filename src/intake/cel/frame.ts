import type { ASTNode } from "@marcbachmann/cel-js";
import type { Fuel } from "./fuel.ts";

/** What one evaluation works with: the variables, by slot, and what it may still cost. */
export interface Frame {
  slots: unknown[];
  fuel: Fuel;
}

/** One compiled node. Gives a value, or a `Failure`; throws only `FuelExhausted`. */
export type Run = (frame: Frame) => unknown;

/** What is known while compiling: which variable is in which slot, and how to compile what is below. */
export interface Scope {
  variables: readonly string[];
  compile(node: ASTNode, scope: Scope): Run;
  /** Takes what compiling a pattern costs off what all patterns of the rule may cost; throws `RuleError`. */
  payPattern(cost: number): void;
}

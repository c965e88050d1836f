import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { describeError } from "../shared/errors.ts";
import { Fuel, FuelExhausted } from "./cel/fuel.ts";
import { compileRoot } from "./cel/compile-node.ts";
import type { Frame, Run } from "./cel/frame.ts";
import { RuleError } from "./cel/rule-error.ts";
import { Failure } from "./cel/values.ts";
import { worstCost } from "./cel/cost.ts";

/** Maximum length of an expression; the CRD has the same limit. */
const maxLength = 2_048;
/** Maximum cost of one evaluation. One unit is about one nanosecond on a slow core, so an evaluation stays well under the limit of 50 ms for a rule. */
export const ruleBudget = 30_000_000;

/** The result of one evaluation: whether the rule is true, or why it could not be evaluated. */
export type RuleResult = { ok: true; value: boolean } | { ok: false; message: string };

/** A compiled `when` expression, or the reason why it cannot be compiled. */
export type CompiledRule = { ok: true; evaluate: EvaluateRule } | RefusedRule;

/** Evaluates a rule, by default with the fuel for one evaluation. Pass `fuel` to measure the cost. */
export type EvaluateRule = (event: unknown, body: unknown, fuel?: Fuel) => RuleResult;

/** The reason why an expression cannot be a rule. */
export interface RefusedRule {
  ok: false;
  reason: "RuleInvalid" | "RuleTooExpensive";
  message: string;
}

/**
 * Compiles a CEL expression over `event` and `body`. The library parses the expression and checks its types. The evaluation is
 * our own code, because the library's evaluator has no bound: a large list or text in a delivery would block all other deliveries.
 */
export function compileRule(expression: string): CompiledRule {
  if (expression.length > maxLength) {
    return tooExpensive(`the expression has ${expression.length} characters; the maximum is ${maxLength}`);
  }
  try {
    const ast = parseAndCheck(expression);
    const cost = worstCost(ast);
    if (cost > ruleBudget) {
      return tooExpensive(
        `with lists of 256 entries the expression could cost ${Math.ceil(cost / ruleBudget)} times the limit of one evaluation; ` +
          "nest fewer comprehensions, or shorten the expressions inside them",
      );
    }
    const run = compileRoot(ast, ["event", "body"]);
    return {
      ok: true,
      evaluate: (event, body, fuel = new Fuel(ruleBudget)) => evaluate(run, { slots: [event, body], fuel }),
    };
  } catch (error) {
    if (error instanceof RuleError && error.code === "RuleTooExpensive") return tooExpensive(error.message);
    return { ok: false, reason: "RuleInvalid", message: describeError(error) };
  }
}

function evaluate(run: Run, frame: Frame): RuleResult {
  try {
    const value = run(frame);
    if (typeof value === "boolean") return { ok: true, value };
    return {
      ok: false,
      message: value instanceof Failure ? value.message : "the result of the expression is not a bool",
    };
  } catch (error) {
    if (error instanceof FuelExhausted) return { ok: false, message: error.message };
    throw error;
  }
}

function parseAndCheck(expression: string): ASTNode {
  const parsed = environment.parse(expression);
  const checked = parsed.check();
  if (!checked.valid) throw checked.error ?? new RuleError("RuleInvalid", "the types of the expression do not match");
  if (checked.type !== "bool" && checked.type !== "dyn") {
    throw new RuleError(
      "RuleInvalid",
      `the type of the expression is ${checked.type ?? "unknown"}, but a rule must be a bool`,
    );
  }
  return parsed.ast;
}

function tooExpensive(message: string): CompiledRule {
  return { ok: false, reason: "RuleTooExpensive", message };
}

const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 400, maxDepth: 40, maxListElements: 256, maxMapEntries: 16, maxCallArguments: 8 },
})
  .registerVariable("event", "dyn")
  .registerVariable("body", "dyn");

import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { describeError } from "../shared/errors.ts";
import { Fuel, FuelExhausted } from "./cel/fuel.ts";
import { compileRoot } from "./cel/compile-node.ts";
import type { Frame, Run } from "./cel/frame.ts";
import { RuleError } from "./cel/rule-error.ts";
import { Failure } from "./cel/values.ts";
import { worstCost } from "./cel/cost.ts";

/** As long as the CRD lets an expression be. */
const maxLength = 2_048;
/** What one evaluation may cost: about as many nanoseconds on a slow core, so well under the 50 ms that a rule may take. */
export const ruleBudget = 30_000_000;

/** What one evaluation said: whether the rule signals, or why it could not be evaluated. */
export type RuleResult = { ok: true; value: boolean } | { ok: false; message: string };

/** A `when` expression, ready to be evaluated, or why it cannot be. */
export type CompiledRule = { ok: true; evaluate: EvaluateRule } | RefusedRule;

/** Evaluates a rule, with as much fuel as one evaluation may take; `fuel` is for whoever wants to see what it took. */
export type EvaluateRule = (event: unknown, body: unknown, fuel?: Fuel) => RuleResult;

/** Why an expression is no rule. */
export interface RefusedRule {
  ok: false;
  reason: "RuleInvalid" | "RuleTooExpensive";
  message: string;
}

/**
 * Compiles a CEL expression over `event` and `body`. The library parses and checks the types; running is ours, because
 * its own evaluator has no bound: a list or a text of a stranger would hold up every other delivery.
 */
export function compileRule(expression: string): CompiledRule {
  if (expression.length > maxLength) {
    return tooExpensive(`the expression has ${expression.length} characters; ${maxLength} are the most`);
  }
  try {
    const ast = parseAndCheck(expression);
    const cost = worstCost(ast);
    if (cost > ruleBudget) {
      return tooExpensive(
        `with lists of 256 entries the expression could take ${Math.ceil(cost / ruleBudget)} times what one evaluation may; ` +
          "nest fewer comprehensions, or make what is inside them shorter",
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
    return { ok: false, message: value instanceof Failure ? value.message : "the expression gave no bool" };
  } catch (error) {
    if (error instanceof FuelExhausted) return { ok: false, message: error.message };
    throw error;
  }
}

function parseAndCheck(expression: string): ASTNode {
  const parsed = environment.parse(expression);
  const checked = parsed.check();
  if (!checked.valid) throw checked.error ?? new RuleError("RuleInvalid", "the types do not fit");
  if (checked.type !== "bool" && checked.type !== "dyn") {
    throw new RuleError("RuleInvalid", `the expression gives ${checked.type ?? "nothing"}, and a rule must give bool`);
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

import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { describeError } from "../shared/errors.ts";
import { compileRoot, RuleError, type Frame, type Run } from "./cel/compile.ts";
import { Failure, Fuel, FuelExhausted, maxList, nodeCost, quantifiers } from "./cel/values.ts";

/** Maximum length of an expression; the CRD has the same limit. */
const maxLength = 2_048;
/** Maximum cost of one evaluation. One unit is about one nanosecond on a slow core, so an evaluation stays well under the limit of 50 ms for a rule. */
export const ruleBudget = 30_000_000;
const maxNesting = 2;
/** Maximum number of rules in a cache. */
const maxRules = 1_024;

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

/** Creates a compiler of rules with a bounded cache: each expression is compiled once, and the oldest entry is removed when the cache is full. */
export function createRules(): (expression: string) => CompiledRule {
  const cache = new Map<string, CompiledRule>();
  return (expression) => {
    const cached = cache.get(expression);
    if (cached) return cached;
    const [oldest] = cache.keys();
    if (cache.size >= maxRules && oldest !== undefined) cache.delete(oldest);
    const compiled = compileRule(expression);
    cache.set(expression, compiled);
    return compiled;
  };
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

/**
 * The maximum cost of an expression if each list has the maximum number of entries. The cost of texts is charged during the evaluation.
 * Throws `RuleError` if comprehensions are nested too deep.
 */
function worstCost(node: ASTNode, nesting = 0): number {
  if (node.op === "rcall" && quantifiers.has(node.args[0])) {
    if (nesting >= maxNesting) {
      throw new RuleError(
        "RuleTooExpensive",
        `comprehensions are nested more than ${maxNesting} levels deep; nest fewer of them`,
      );
    }
    const inside = node.args[2].reduce((sum, argument) => sum + worstCost(argument, nesting + 1), 0);
    return nodeCost + worstCost(node.args[1], nesting) + maxList * (nodeCost + inside);
  }
  return children(node).reduce((sum, child) => sum + worstCost(child, nesting), nodeCost);
}

/** The direct children of a node. */
function children(node: ASTNode): ASTNode[] {
  if (node.op === "value" || node.op === "id") return [];
  if (node.op === "." || node.op === ".?") return [node.args[0]];
  if (node.op === "call") return node.args[1];
  if (node.op === "rcall") return [node.args[1], ...node.args[2]];
  if (node.op === "!_" || node.op === "-_") return [node.args];
  return node.args.flat();
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

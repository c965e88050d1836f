import type { ASTNode } from "@marcbachmann/cel-js";
import { nodeCost } from "./fuel.ts";
import { RuleError } from "./rule-error.ts";
import { maxList } from "./values.ts";

/** The comprehensions that a rule may use: they iterate over a list and create no new list. */
export const quantifiers = new Set(["all", "exists", "exists_one"]);
const maxNesting = 2;

/**
 * The maximum cost of an expression if each list has the maximum number of entries. The cost of texts is charged during the evaluation.
 * Throws `RuleError` if comprehensions are nested too deep.
 */
export function worstCost(node: ASTNode, nesting = 0): number {
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

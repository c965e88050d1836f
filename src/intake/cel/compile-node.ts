import type { ASTNode } from "@marcbachmann/cel-js";
import { compileCall, compileMethod } from "./compile-call.ts";
import { compileOperator } from "./compile-operator.ts";
import type { Run, Scope } from "./frame.ts";
import { nodeCost } from "./fuel.ts";
import { RuleError } from "./rule-error.ts";
import { Failure, index, select } from "./values.ts";

/** Maximum cost to compile all patterns of a rule: with the worst patterns, about 40 ms on a slow core. */
export const maxPatternCost = 2_000;

/** Compiles a checked expression into functions that charge each step to the fuel. Throws `RuleError` if the expression uses anything that rules may not use. */
export function compileRoot(node: ASTNode, variables: readonly string[]): Run {
  return compileNode(node, { variables, compile: compileNode, chargePattern: patternBudget() });
}

function patternBudget(): Scope["chargePattern"] {
  let spent = 0;
  return (cost) => {
    spent += cost;
    if (spent > maxPatternCost) {
      throw new RuleError(
        "RuleTooExpensive",
        "the patterns of matches() cost too much to compile; reduce counted repeats such as a{1000}, and use fewer or narrower Unicode classes",
      );
    }
  };
}

function compileNode(node: ASTNode, scope: Scope): Run {
  const run = compileOne(node, scope);
  return (frame) => {
    frame.fuel.spend(nodeCost);
    return run(frame);
  };
}

function compileOne(node: ASTNode, scope: Scope): Run {
  if (node.op === "value") return constant(node.args);
  if (node.op === "id") return variable(node.args, scope);
  if (node.op === "." || node.op === "[]") return compileAccess(node, scope);
  if (node.op === "list") return compileList(node.args, scope);
  if (node.op === "call") return compileCall(node.args, scope);
  if (node.op === "rcall") return compileMethod(node.args, scope);
  return compileRest(node, scope);
}

function compileRest(node: Parameters<typeof compileOperator>[0] | UnavailableNode, scope: Scope): Run {
  if (node.op === "map" || node.op === ".?" || node.op === "[?]") {
    throw new RuleError("RuleInvalid", "rules cannot use map literals or optional access");
  }
  return compileOperator(node, scope);
}

type UnavailableNode = Extract<ASTNode, { op: "map" | ".?" | "[?]" }>;

function compileAccess(node: Extract<ASTNode, { op: "." | "[]" }>, scope: Scope): Run {
  const of = compileNode(node.args[0], scope);
  if (node.op === ".") {
    const key = node.args[1];
    return (frame) => select(of(frame), key);
  }
  const at = compileNode(node.args[1], scope);
  return (frame) => index(of(frame), at(frame));
}

function constant(value: unknown): Run {
  if (typeof value === "bigint") {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw new RuleError("RuleInvalid", `the number ${value} is too large for a rule`);
    return () => number;
  }
  if (value !== null && typeof value === "object") throw new RuleError("RuleInvalid", "rules cannot use bytes or uint");
  return () => value;
}

function variable(name: string, scope: Scope): Run {
  const slot = scope.variables.lastIndexOf(name);
  if (slot < 0) throw new RuleError("RuleInvalid", `there is no variable ${name}; rules can use event and body`);
  return (frame) => frame.slots[slot];
}

function compileList(nodes: ASTNode[], scope: Scope): Run {
  const items = nodes.map((node) => compileNode(node, scope));
  return (frame) => {
    const values = items.map((item) => item(frame));
    return values.find((value) => value instanceof Failure) ?? values;
  };
}

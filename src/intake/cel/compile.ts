import type { ASTNode } from "@marcbachmann/cel-js";
import { compilePattern, patternCost, textPredicates, textTransforms } from "./text-methods.ts";
import {
  elements,
  Failure,
  has,
  index,
  negate,
  nodeCost,
  not,
  notBool,
  operators,
  quantifiers,
  select,
  size,
  withText,
  type Fuel,
} from "./values.ts";

/** Maximum cost to compile all patterns of a rule: with the worst patterns, about 40 ms on a slow core. */
export const maxPatternCost = 2_000;

/** Thrown when an expression cannot be compiled as a rule; `code` is the reason. */
export class RuleError extends Error {
  readonly code: "RuleInvalid" | "RuleTooExpensive";

  constructor(code: "RuleInvalid" | "RuleTooExpensive", message: string) {
    super(message);
    this.name = "RuleError";
    this.code = code;
  }
}

/** The state of one evaluation: the variables, by slot, and the remaining fuel. */
export interface Frame {
  slots: unknown[];
  fuel: Fuel;
}

/** One compiled node. Returns a value or a `Failure`; throws only `FuelExhausted`. */
export type Run = (frame: Frame) => unknown;

/** The state of the compilation: the slot of each variable. */
interface Scope {
  variables: readonly string[];
  /** Charges the cost of compiling a pattern to the budget of all patterns of the rule; throws `RuleError` if the budget is exceeded. */
  chargePattern(cost: number): void;
}

/** Compiles a checked expression into functions that charge each step to the fuel. Throws `RuleError` if the expression uses anything that rules may not use. */
export function compileRoot(node: ASTNode, variables: readonly string[]): Run {
  return compileNode(node, { variables, chargePattern: patternBudget() });
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

function compileRest(node: OperatorNode | UnavailableNode, scope: Scope): Run {
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

type OperatorNode = Exclude<
  ASTNode,
  { op: "value" | "id" | "." | ".?" | "[]" | "[?]" | "call" | "rcall" | "list" | "map" }
>;

function compileOperator(node: OperatorNode, scope: Scope): Run {
  if (node.op === "!_") return unary(node.args, scope, not);
  if (node.op === "-_") return unary(node.args, scope, negate);
  if (node.op === "?:") return ternary(node.args, scope);
  if (node.op === "||") return logical(node.args, scope, true);
  if (node.op === "&&") return logical(node.args, scope, false);
  return binary(node.op, node.args, scope);
}

function binary(name: string, args: [ASTNode, ASTNode], scope: Scope): Run {
  const operator = operators[name];
  if (!operator) throw new RuleError("RuleInvalid", `rules cannot use the operator ${name}`);
  const [left, right] = [compileNode(args[0], scope), compileNode(args[1], scope)];
  return (frame) => {
    const a = left(frame);
    if (a instanceof Failure) return a;
    const b = right(frame);
    return b instanceof Failure ? b : operator(a, b, frame.fuel);
  };
}

function unary(arg: ASTNode, scope: Scope, apply: (value: unknown) => unknown): Run {
  const run = compileNode(arg, scope);
  return (frame) => {
    const value = run(frame);
    return value instanceof Failure ? value : apply(value);
  };
}

function ternary(args: [ASTNode, ASTNode, ASTNode], scope: Scope): Run {
  const [condition, yes, no] = [compileNode(args[0], scope), compileNode(args[1], scope), compileNode(args[2], scope)];
  return (frame) => {
    const value = condition(frame);
    if (typeof value !== "boolean") return value instanceof Failure ? value : notBool;
    return value ? yes(frame) : no(frame);
  };
}

/**
 * Compiles `||`, which is decided by true, and `&&`, which is decided by false. If one side decides, a failure of the other side does not
 * matter.
 */
function logical(args: [ASTNode, ASTNode], scope: Scope, decisive: boolean): Run {
  const [left, right] = [compileNode(args[0], scope), compileNode(args[1], scope)];
  return (frame) => {
    const a = left(frame);
    if (a === decisive) return decisive;
    const b = right(frame);
    if (b === decisive) return decisive;
    if (typeof a !== "boolean") return a instanceof Failure ? a : notBool;
    if (typeof b !== "boolean") return b instanceof Failure ? b : notBool;
    return !decisive;
  };
}

/** Compiles `size(x)` and `has(x.y)`; rules have no other functions. */
function compileCall([name, args]: [string, ASTNode[]], scope: Scope): Run {
  const [first] = args;
  if (name === "has" && first?.op === ".") {
    const [of, key] = [compileNode(first.args[0], scope), first.args[1]];
    return (frame) => has(of(frame), key);
  }
  if (name === "size" && first) {
    const of = compileNode(first, scope);
    return (frame) => size(of(frame), frame.fuel);
  }
  throw unavailable(name);
}

/** Compiles a method, or a comprehension over a list. */
function compileMethod([name, receiver, args]: [string, ASTNode, ASTNode[]], scope: Scope): Run {
  if (quantifiers.has(name)) return compileQuantifier(name, [receiver, ...args], scope);
  const of = compileNode(receiver, scope);
  const [argument] = args;
  const predicate = Object.hasOwn(textPredicates, name) ? textPredicates[name] : undefined;
  const transform = Object.hasOwn(textTransforms, name) ? textTransforms[name] : undefined;
  if (name === "matches") return compileMatches(of, argument, scope);
  if (name === "size") return (frame) => size(of(frame), frame.fuel);
  if (transform) return (frame) => withText(of(frame), (text) => transform(text, frame.fuel));
  if (!predicate || !argument) throw unavailable(name);
  const given = compileNode(argument, scope);
  return (frame) =>
    withText(of(frame), (text) => withText(given(frame), (other) => predicate(text, other, frame.fuel)));
}

/** The pattern must be a literal in the rule: a pattern from a payload would be a program of an untrusted person. */
function compileMatches(of: Run, argument: ASTNode | undefined, scope: Scope): Run {
  if (argument?.op !== "value" || typeof argument.args !== "string") {
    throw new RuleError("RuleInvalid", "the pattern of matches() must be a string literal");
  }
  scope.chargePattern(patternCost(argument.args));
  const matches = compilePattern(argument.args);
  return (frame) => withText(of(frame), (text) => matches(text, frame.fuel));
}

function compileQuantifier(name: string, nodes: ASTNode[], scope: Scope): Run {
  const [receiver, variable, predicate] = nodes;
  const decide = quantifiers.get(name);
  if (!decide || !receiver || variable?.op !== "id" || !predicate) throw unavailable(name);
  const of = compileNode(receiver, scope);
  const slot = scope.variables.length;
  const holds = compileNode(predicate, { ...scope, variables: [...scope.variables, variable.args] });
  return (frame) => {
    const items = elements(of(frame), frame.fuel);
    if (items instanceof Failure) return items;
    return decide(items, (item) => test(frame, slot, item, holds));
  };
}

function test(frame: Frame, slot: number, item: unknown, holds: Run): boolean | Failure {
  frame.fuel.spend(nodeCost);
  frame.slots[slot] = item;
  const value = holds(frame);
  if (typeof value === "boolean" || value instanceof Failure) return value;
  return notBool;
}

function unavailable(name: string): RuleError {
  return new RuleError(
    "RuleInvalid",
    `rules cannot use ${name}(); they can use has, size, startsWith, endsWith, contains, matches, lowerAscii, upperAscii, trim, all, exists, exists_one`,
  );
}

import type { ASTNode } from "@marcbachmann/cel-js";
import type { Run, Scope } from "./frame.ts";
import { nodeCost, type Fuel } from "./fuel.ts";
import { RuleError } from "./rule-error.ts";
import { compare, equal, Failure, isMap, maxText } from "./values.ts";

type Binary = (a: unknown, b: unknown, fuel: Fuel) => unknown;
type OperatorNode = Exclude<
  ASTNode,
  { op: "value" | "id" | "." | ".?" | "[]" | "[?]" | "call" | "rcall" | "list" | "map" }
>;

const notBool = new Failure("expected a bool operand");
const notNumbers = new Failure("expected number operands");

/** Compiles an operator. There is no division, because a JSON number does not say whether it is an int. */
export function compileOperator(node: OperatorNode, scope: Scope): Run {
  if (node.op === "!_") return unary(node.args, scope, not);
  if (node.op === "-_") return unary(node.args, scope, negate);
  if (node.op === "?:") return ternary(node.args, scope);
  if (node.op === "||") return logical(node.args, scope, true);
  if (node.op === "&&") return logical(node.args, scope, false);
  return binary(node.op, node.args, scope);
}

const not = (value: unknown): unknown => (typeof value === "boolean" ? !value : notBool);
const negate = (value: unknown): unknown => (typeof value === "number" ? -value : notNumbers);

const operators: Readonly<Record<string, Binary>> = {
  "==": (a, b, fuel) => equal(a, b, fuel),
  "!=": (a, b, fuel) => !equal(a, b, fuel),
  "<": ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  ">": ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
  in: member,
  "+": add,
  "-": numeric((a, b) => a - b),
  "*": numeric((a, b) => a * b),
  "%": numeric((a, b) => a % b),
};

function binary(name: string, args: [ASTNode, ASTNode], scope: Scope): Run {
  const operator = operators[name];
  if (!operator) throw new RuleError("RuleInvalid", `rules cannot use the operator ${name}`);
  const [left, right] = [scope.compile(args[0], scope), scope.compile(args[1], scope)];
  return (frame) => {
    const a = left(frame);
    if (a instanceof Failure) return a;
    const b = right(frame);
    return b instanceof Failure ? b : operator(a, b, frame.fuel);
  };
}

function unary(arg: ASTNode, scope: Scope, apply: (value: unknown) => unknown): Run {
  const run = scope.compile(arg, scope);
  return (frame) => {
    const value = run(frame);
    return value instanceof Failure ? value : apply(value);
  };
}

function ternary(args: [ASTNode, ASTNode, ASTNode], scope: Scope): Run {
  const [condition, yes, no] = [
    scope.compile(args[0], scope),
    scope.compile(args[1], scope),
    scope.compile(args[2], scope),
  ];
  return (frame) => {
    const value = condition(frame);
    if (typeof value !== "boolean") return value instanceof Failure ? value : notBool;
    return value ? yes(frame) : no(frame);
  };
}

/** `||` (true decides) and `&&` (false decides). If one side decides, a failure of the other side does not matter. */
function logical(args: [ASTNode, ASTNode], scope: Scope, decisive: boolean): Run {
  const [left, right] = [scope.compile(args[0], scope), scope.compile(args[1], scope)];
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

function ordered(holds: (order: number) => boolean): Binary {
  return (a, b, fuel) => {
    const order = compare(a, b, fuel);
    return order instanceof Failure ? order : holds(order);
  };
}

function numeric(apply: (a: number, b: number) => number): Binary {
  return (a, b) => (typeof a === "number" && typeof b === "number" ? apply(a, b) : notNumbers);
}

function add(a: unknown, b: unknown, fuel: Fuel): unknown {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (typeof a !== "string" || typeof b !== "string")
    return new Failure("expected two numbers or two texts as operands of +");
  if (a.length + b.length > maxText) return new Failure(`the rule makes a text of more than ${maxText} characters`);
  fuel.spend(a.length + b.length);
  return a + b;
}

function member(value: unknown, collection: unknown, fuel: Fuel): unknown {
  if (isMap(collection)) return typeof value === "string" && Object.hasOwn(collection, value);
  if (!Array.isArray(collection)) return new Failure("expected a list or a map as the right operand of in");
  for (const element of collection as unknown[]) {
    fuel.spend(nodeCost);
    if (equal(value, element, fuel)) return true;
  }
  return false;
}

import type { ASTNode } from "@marcbachmann/cel-js";
import { quantifiers } from "./cost.ts";
import { compilePattern, size, textPredicates, textTransforms, withText } from "./functions.ts";
import type { Frame, Run, Scope } from "./frame.ts";
import { nodeCost } from "./fuel.ts";
import { patternCost } from "./pattern-cost.ts";
import { RuleError } from "./rule-error.ts";
import { elements, Failure, has } from "./values.ts";

/** Compiles `size(x)` and `has(x.y)`; rules have no other functions. */
export function compileCall([name, args]: [string, ASTNode[]], scope: Scope): Run {
  const [first] = args;
  if (name === "has" && first?.op === ".") {
    const [of, key] = [scope.compile(first.args[0], scope), first.args[1]];
    return (frame) => has(of(frame), key);
  }
  if (name === "size" && first) {
    const of = scope.compile(first, scope);
    return (frame) => size(of(frame), frame.fuel);
  }
  throw unavailable(name);
}

/** Compiles a method, or a comprehension over a list. */
export function compileMethod([name, receiver, args]: [string, ASTNode, ASTNode[]], scope: Scope): Run {
  if (quantifiers.has(name)) return compileQuantifier(name, [receiver, ...args], scope);
  const of = scope.compile(receiver, scope);
  const [argument] = args;
  const predicate = Object.hasOwn(textPredicates, name) ? textPredicates[name] : undefined;
  const transform = Object.hasOwn(textTransforms, name) ? textTransforms[name] : undefined;
  if (name === "matches") return compileMatches(of, argument, scope);
  if (name === "size") return (frame) => size(of(frame), frame.fuel);
  if (transform) return (frame) => withText(of(frame), (text) => transform(text, frame.fuel));
  if (!predicate || !argument) throw unavailable(name);
  const given = scope.compile(argument, scope);
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
  if (!receiver || variable?.op !== "id" || !predicate) throw unavailable(name);
  const of = scope.compile(receiver, scope);
  const slot = scope.variables.length;
  const holds = scope.compile(predicate, { ...scope, variables: [...scope.variables, variable.args] });
  const decide = name === "exists_one" ? exactlyOne : anyOrAll(name === "exists");
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
  return new Failure("expected a bool operand");
}

type Decide = (items: unknown[], test: (item: unknown) => boolean | Failure) => boolean | Failure;

/** The first true decides `exists`, the first false decides `all`. A failure counts only if no element decides. */
function anyOrAll(decisive: boolean): Decide {
  return (items, test) => {
    let failure: Failure | undefined;
    for (const item of items) {
      const value = test(item);
      if (value === decisive) return decisive;
      if (value instanceof Failure) failure = value;
    }
    return failure ?? !decisive;
  };
}

const exactlyOne: Decide = (items, test) => {
  let found = 0;
  for (const item of items) {
    const value = test(item);
    if (value instanceof Failure) return value;
    if (value) found += 1;
  }
  return found === 1;
};

function unavailable(name: string): RuleError {
  return new RuleError(
    "RuleInvalid",
    `rules cannot use ${name}(); they can use has, size, startsWith, endsWith, contains, matches, lowerAscii, upperAscii, trim, all, exists, exists_one`,
  );
}

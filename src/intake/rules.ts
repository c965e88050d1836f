import { compileRule, type CompiledRule } from "./cel.ts";

const maxRules = 1_024;

/** Compiles each expression once. Bounded: the oldest goes when there are too many. */
export function createRules(): (expression: string) => CompiledRule {
  const known = new Map<string, CompiledRule>();
  return (expression) => {
    const held = known.get(expression);
    if (held) return held;
    const [oldest] = known.keys();
    if (known.size >= maxRules && oldest !== undefined) known.delete(oldest);
    const compiled = compileRule(expression);
    known.set(expression, compiled);
    return compiled;
  };
}

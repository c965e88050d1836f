import { compileRule, type CompiledRule } from "./cel.ts";

const maxRules = 1_024;

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

import { join } from "node:path";

/**
 * The variable that has Node keep what it compiled from our TypeScript: a courier starts in half the processor time then, and tests start
 * dozens. The files are keyed by content, and shared by all runs of this checkout.
 */
export function compileCache(): Record<string, string> {
  return { NODE_COMPILE_CACHE: join(import.meta.dirname, "..", "..", "node_modules", ".cache", "compiled") };
}

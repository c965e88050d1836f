import { join } from "node:path";

/**
 * Environment variable that makes Node cache compiled TypeScript. With it a courier needs half the processor time to start, and tests start
 * dozens. The cache is keyed by content; all runs of this checkout share it.
 */
export function compileCache(): Record<string, string> {
  return { NODE_COMPILE_CACHE: join(import.meta.dirname, "..", "..", "node_modules", ".cache", "compiled") };
}

import { join } from "node:path";

/**
 * The variable that makes Node cache compiled TypeScript: with it a courier needs half the processor time to start, and tests start dozens.
 * The files are keyed by content, and shared by all runs of this checkout.
 */
export function compileCache(): Record<string, string> {
  return { NODE_COMPILE_CACHE: join(import.meta.dirname, "..", "..", "node_modules", ".cache", "compiled") };
}

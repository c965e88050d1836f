import { Folder } from "../folder.ts";
import { errorCode } from "../../shared/errors.ts";

const maxEntries = 20_000;
const passedOver = new Set([".git", "node_modules"]);

/**
 * The newest modification time in the workspace in milliseconds, among its first 20,000 entries. Asked only when an agent has been silent
 * for long, so it may cost some milliseconds; what changes while it looks is passed over.
 */
export function newestChange(workspace: string): number {
  let newestMs = 0;
  let left = maxEntries;
  const visit = (folder: Folder, depth: number): void => {
    try {
      for (const name of folder.names()) if (left-- > 0) look(folder, name, depth);
    } finally {
      folder.close();
    }
  };
  const look = (folder: Folder, name: string, depth: number): void => {
    const stats = folder.look(name);
    if (stats === undefined) return;
    newestMs = Math.max(newestMs, stats.mtimeMs);
    if (!stats.isDirectory() || passedOver.has(name) || depth > 64) return;
    const inner = tolerant(() => folder.enter(name));
    if (inner) visit(inner, depth + 1);
  };
  tolerant(() => visit(Folder.open(workspace), 0));
  return newestMs;
}

/** The agent works on while we look: what vanishes or is closed to us says nothing. */
function tolerant<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ELOOP", "ENOTDIR", "EACCES", "EPERM"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

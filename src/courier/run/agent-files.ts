import { closeSync, fstatSync, readSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inFiles, outFiles } from "../../sandbox/protocol/layout.ts";
import { errorCode } from "../../shared/errors.ts";
import { Folder } from "../folder.ts";
import { plain } from "../outcome.ts";
import type { Places } from "../settings.ts";

/** The signs of the agent that the entry script has written. Anything but a short regular file is ignored. */
export interface AgentSigns {
  started: boolean;
  /** Bytes printed so far. */
  printed: number;
  exitSeen: boolean;
  stopped: string | undefined;
}

/** Looks at `out`, never through a link. `handedOver` is when the checkout gave `in` to the agent, see `handedOverMs`. */
export function readSigns(out: Folder, handedOver: number): AgentSigns {
  const output = out.look(outFiles.output);
  return {
    // Whatever the agent takes away again: `out` was empty when the checkout ended, and the agent cannot set its time back.
    started: output !== undefined || out.stats().mtimeMs > handedOver,
    printed: output?.isFile() ? output.size : 0,
    exitSeen: out.look(outFiles.exit) !== undefined,
    stopped: wholeLine(unlessClosed(() => out.text(outFiles.stopped, 32))),
  };
}

/** When the checkout handed over, by the clock of this node's files, in milliseconds: before the agent, and after `out` was made. */
export function handedOverMs(places: Pick<Places, "in">): number {
  return statSync(path.join(places.in, inFiles.entry)).mtimeMs;
}

/** Reads what the agent may have closed to us (`umask 077`): that is not said yet. Once it is gone, the entry script opens all of it. */
export function unlessClosed<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errorCode(error) === "EACCES") return undefined;
    throw error;
  }
}

/** A shell makes a file first and writes to it then: what does not end its line is still being said. */
function wholeLine(text: string | undefined): string | undefined {
  return text?.endsWith("\n") ? text.trim() : undefined;
}

/** The agent's exit code; undefined when the file says none. */
export function readExit(out: Folder): number | undefined {
  const text = unlessClosed(() => out.text(outFiles.exit, 16))?.trim() ?? "";
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : undefined;
}

const tailBytes = 2048;

/** The end of the agent's output, as one plain line of at most 400 characters; empty if it printed nothing. */
export function outputTail(out: Folder): string {
  const file = unlessClosed(() => out.file(outFiles.output));
  if (file === undefined) return "";
  try {
    const { size } = fstatSync(file.fd);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    const read = readSync(file.fd, buffer, 0, buffer.length, size - buffer.length);
    return plain(buffer.subarray(0, read).toString("utf8").trim()).slice(-400);
  } finally {
    closeSync(file.fd);
  }
}

/** Asks the entry script to end the agent (`stop`), or to let its container exit (`release`). */
export function signalAgent(places: Pick<Places, "in">, what: "stop" | "release"): void {
  writeFileSync(path.join(places.in, inFiles[what]), "");
}

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

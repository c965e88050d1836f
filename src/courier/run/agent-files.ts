import { closeSync, fstatSync, readSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inFiles, outFiles } from "../../sandbox/protocol/layout.ts";
import { errorCode } from "../../shared/errors.ts";
import { Folder } from "../folder.ts";
import { plain } from "../outcome.ts";
import type { Places } from "../settings.ts";

/** The agent's state, read from the files in `out`. The entry script writes them; the agent can change them. */
export interface AgentSigns {
  started: boolean;
  /** Bytes printed so far. */
  printed: number;
  exitSeen: boolean;
  stopped: string | undefined;
}

/** Reads the agent's state from `out` without following links. `inputWritten` is the time that `inputWrittenMs` returns. */
export function readSigns(out: Folder, inputWritten: number): AgentSigns {
  const output = out.look(outFiles.output);
  return {
    // Still true if the agent removes its files: `out` was empty at the end of the checkout, and the agent cannot set the folder's time back.
    started: output !== undefined || out.stats().mtimeMs > inputWritten,
    printed: output?.isFile() ? output.size : 0,
    exitSeen: out.look(outFiles.exit) !== undefined,
    stopped: wholeLine(unlessClosed(() => out.text(outFiles.stopped, 32))),
  };
}

/** When the checkout wrote the agent's input, in milliseconds of the node's file times: after `out` was created, before the agent starts. */
export function inputWrittenMs(places: Pick<Places, "in">): number {
  return statSync(path.join(places.in, inFiles.entry)).mtimeMs;
}

/**
 * Reads a file that the agent may have made unreadable for the courier (`umask 077`). Such a file counts as absent until the entry script makes
 * it readable after the agent's end.
 */
export function unlessClosed<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errorCode(error) === "EACCES") return undefined;
    throw error;
  }
}

/** A shell creates a file before it writes to it. Text without a line end is therefore incomplete. */
function wholeLine(text: string | undefined): string | undefined {
  return text?.endsWith("\n") ? text.trim() : undefined;
}

/** The agent's exit code; undefined if the file does not contain one. */
export function readExit(out: Folder): number | undefined {
  const text = unlessClosed(() => out.text(outFiles.exit, 16))?.trim() ?? "";
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : undefined;
}

const tailBytes = 2048;

/** The end of the agent's output as one line of plain text, at most 400 characters; empty if the agent printed nothing. */
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
const skippedFolders = new Set([".git", "node_modules"]);

/**
 * The newest modification time in the workspace in milliseconds, among its first 20,000 entries. It takes some milliseconds, so it is called
 * only for an agent that has been silent for its stall limit. Entries that change meanwhile are skipped.
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
    if (!stats.isDirectory() || skippedFolders.has(name) || depth > 64) return;
    const inner = tolerant(() => folder.enter(name));
    if (inner) visit(inner, depth + 1);
  };
  tolerant(() => visit(Folder.open(workspace), 0));
  return newestMs;
}

/** Calls `read`; undefined if the entry has disappeared or is not readable, because the agent keeps working meanwhile. */
function tolerant<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ELOOP", "ENOTDIR", "EACCES", "EPERM"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { ProcessId } from "./processes.ts";

/** The data that a later process needs to stop the node of an earlier one. */
export interface NodeState {
  /** The outer `unshare` process: when it dies, the kernel ends everything in its process namespace. */
  holder: ProcessId;
}

/** Writes the state atomically: after a crash, the file is either the old one or the new one. */
export function writeState(path: string, state: NodeState): void {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** Reads the state of a node; undefined if no node was started. */
export function readState(path: string): NodeState | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return JSON.parse(text) as NodeState;
}

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { ProcessId } from "./processes.ts";

/** The state that a later process needs to stop a node of an earlier process. */
export interface NodeState {
  /** The outer `unshare`: when it dies, the kernel ends everything inside its process namespace. */
  holder: ProcessId;
}

/** Written whole and renamed, so that a crash leaves the old one or the new one. */
export function writeState(path: string, state: NodeState): void {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** The state of a node that was started, or undefined if there is none. */
export function readState(path: string): NodeState | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return JSON.parse(text) as NodeState;
}

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const maxMessageBytes = 4096;
const maxLogBytes = 2048;

/**
 * A container's termination message: the last 4096 bytes of its file. If the file is empty and the container failed, the end of its log,
 * provided that the pod asks for it.
 */
export function terminationMessage(options: {
  terminationLog: string;
  log: string;
  fallbackToLog: boolean;
}): string | undefined {
  const message = endOf(options.terminationLog, maxMessageBytes);
  const text = message === "" && options.fallbackToLog ? endOf(options.log, maxLogBytes) : message;
  return text === "" ? undefined : text;
}

/** Links are not followed, because the container wrote this file and could link to files that only the node may read. */
function endOf(path: string, bytes: number): string {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return "";
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return "";
    const buffer = Buffer.alloc(Math.min(bytes, stat.size));
    const read = readSync(file, buffer, 0, buffer.length, stat.size - buffer.length);
    return buffer.subarray(0, read).toString("utf8");
  } finally {
    closeSync(file);
  }
}

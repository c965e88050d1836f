import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const maxMessageBytes = 4096;
const maxLogBytes = 2048;

/** A container's termination message: the end of its file, at most 4096 bytes; else, if asked and it failed, the end of its log. */
export function terminationMessage(options: {
  terminationLog: string;
  log: string;
  fallbackToLog: boolean;
}): string | undefined {
  const message = endOf(options.terminationLog, maxMessageBytes);
  const text = message === "" && options.fallbackToLog ? endOf(options.log, maxLogBytes) : message;
  return text === "" ? undefined : text;
}

/** Links are not followed: the container wrote this file, and a kubelet reads it as another user. */
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

import { readFileSync } from "node:fs";
import { until } from "./wait.ts";

/** Identifies one process: its id, and its start time in clock ticks since boot, because ids are reused. */
export interface ProcessId {
  pid: number;
  startTime: string;
}

/** The identity of a running process; undefined if there is none, or only a zombie. */
export function identify(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): the second field may contain spaces and parentheses; after it, state is the first field and start time the 20th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const startTime = fields[19];
    return fields[0] === "Z" || startTime === undefined ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

/** Whether this process still runs; another process with the same id does not count. */
export function isRunning(process: ProcessId): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** The children of a process, oldest first. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Kills this process, but never another one with the same id; resolves when it has ended. */
export async function kill(target: ProcessId): Promise<void> {
  if (!isRunning(target)) return;
  process.kill(target.pid, "SIGKILL");
  await until(() => !isRunning(target), { what: `the end of process ${target.pid}`, timeoutMs: 10_000, everyMs: 20 });
}

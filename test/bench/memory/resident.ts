import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Memory of a process, in MiB. */
export interface Resident {
  /** All resident memory, including mapped files. The kernel counts at most this much towards a memory limit. */
  all: number;
  /** Anonymous memory (not backed by a file), which the node cannot reclaim. */
  own: number;
  /** The maximum of `all` since the start of the process. */
  most: number;
}

/** After the last work, garbage collection takes a while to return memory to the kernel. */
const settleMs = 15_000;

/** Reads the memory of a process from the kernel. */
export function residentOf(pid: number): Resident {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const MiB = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { all: MiB("VmRSS"), own: MiB("RssAnon"), most: MiB("VmHWM") };
}

/** The processor time of a process and its threads since its start, in milliseconds. */
export function processorMsOfProcess(pid: number): number {
  // The name of the process, in brackets, may contain spaces; the kernel counts in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return (user + system) * 10;
}

/** Waits until the memory of a process has settled, then logs it. */
export async function report(log: (line: string) => void, name: string, state: string, pid: number): Promise<void> {
  await delay(settleMs);
  const { all, own, most } = residentOf(pid);
  const figure = (value: number): string => value.toFixed(0).padStart(4);
  log(`${name.padEnd(9)}${state.padEnd(36)}${figure(all)} (${figure(own)})  most ${figure(most)}`);
}

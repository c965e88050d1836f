import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Memory of a process, in MiB. */
export interface Resident {
  /** All of it, files that are mapped included: what a limit counts at most. */
  all: number;
  /** Memory that no file backs, so that the node cannot reclaim it. */
  own: number;
  /** The most that `all` has been. */
  most: number;
}

/** Collections and what they give back take a while after the last work. */
const settleMs = 15_000;

/** Reads it from the kernel. */
export function residentOf(pid: number): Resident {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const MiB = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { all: MiB("VmRSS"), own: MiB("RssAnon"), most: MiB("VmHWM") };
}

/** Waits until a process has settled, then logs what it has. */
export async function report(log: (line: string) => void, name: string, state: string, pid: number): Promise<void> {
  await delay(settleMs);
  const { all, own, most } = residentOf(pid);
  const figure = (value: number): string => value.toFixed(0).padStart(4);
  log(`${name.padEnd(9)}${state.padEnd(36)}${figure(all)} (${figure(own)})  most ${figure(most)}`);
}

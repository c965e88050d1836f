import { readFileSync, readdirSync } from "node:fs";
import { markVariable } from "./environment.ts";

/** Kills every process whose mark begins with `mark`, also those that left their process group. Returns how many there were. */
export function sweep(mark: string): number {
  const found = marked(mark);
  for (const pid of found) kill(pid);
  return found.length;
}

/** The processes whose mark begins with `mark`. Zombies are not included, because their environment is empty. */
function marked(mark: string): number[] {
  const wanted = `${markVariable}=${mark}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => environmentOf(name).some((variable) => variable.startsWith(wanted)))
    .map(Number);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // The process has ended, or belongs to another user and so not to this node.
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended.
  }
}

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerOf, memoryMiB, type ProcessName } from "../../integration/process-containers.ts";

const root = "/sys/fs/cgroup";
const launcher = join(import.meta.dirname, "..", "..", "..", "bin", "bellhop");

/** The command that starts one of our processes as in its container, and the function that cleans up after its end. */
export interface ContainerCommand {
  command: string;
  args: string[];
  remove(): void;
}

/**
 * Returns the command of the image's launcher, in a control group with the container's memory limit, because the launcher computes Node's
 * flags from that limit. Throws if this user may not create a control group.
 */
export function containerCommand(process: ProcessName, ...args: string[]): ContainerCommand {
  const limitBytes = memoryMiB(containerOf(process), "limits") * 1024 * 1024;
  const isVersion2 = existsSync(join(root, "cgroup.controllers"));
  const folder = join(root, isVersion2 ? "" : "memory", `bellhop-bench-${process}`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, isVersion2 ? "memory.max" : "memory.limit_in_bytes"), String(limitBytes));
  } catch (cause) {
    throw new Error(`cannot make a control group for memory at ${folder}: run this as root`, { cause });
  }
  return {
    command: "/bin/sh",
    args: ["-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder, launcher, process, ...args],
    remove: () => rmdirSync(folder),
  };
}

import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../src/shared/errors.ts";
import { until } from "./wait.ts";

const root = "/sys/fs/cgroup";

/** Creates the node's own cgroup in every hierarchy, so that two kubelets do not share `/kubepods`. */
export function createCgroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, name);
    mkdirSync(folder, { recursive: true });
    // cgroup v1: a cpuset takes no process before it has processors and memory nodes.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (!isVersion2() && existsSync(join(folder, file))) {
        writeFileSync(join(folder, file), readFileSync(join(hierarchy, file), "utf8").trim());
      }
    }
  }
  if (isVersion2()) {
    const delegated = wordsOf(join(root, name, "cgroup.controllers")).map((each) => `+${each}`);
    writeFileSync(join(root, name, "cgroup.subtree_control"), delegated.join(" "));
  }
}

/** Removes the node's cgroup from every hierarchy, once its processes have ended. */
export async function removeCgroups(name: string): Promise<void> {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, name);
    await until(() => removeTree(folder), { what: `the removal of the cgroup ${folder}`, timeoutMs: 10_000 });
  }
}

/** The folders of the node's cgroup that still exist. */
export function leftCgroups(name: string): string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((folder) => existsSync(folder));
}

/** Controllers without which a kubelet does not start. */
const controllers = ["cpu", "memory", "pids"];

/** Why a node can have no cgroup of its own here; undefined if it can. Creates an empty cgroup and removes it. */
export function cgroupsReason(): string | undefined {
  if (!existsSync(root)) return `${root} is not there`;
  const available = isVersion2() ? wordsOf(join(root, "cgroup.subtree_control")) : readdirSync(root);
  const missing = controllers.filter((controller) => !available.includes(controller));
  if (missing.length > 0) return `${root} has no ${missing.join(", ")}`;
  const probe = `bellhop-probe-${process.pid}`;
  try {
    for (const hierarchy of hierarchies()) {
      mkdirSync(join(hierarchy, probe), { recursive: true });
      rmdirSync(join(hierarchy, probe));
    }
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

function wordsOf(file: string): string[] {
  return readFileSync(file, "utf8").trim().split(" ");
}

/** The root folders of all hierarchies: cgroup v1 has one for each controller (some are links to others), v2 has only one. */
function hierarchies(): string[] {
  if (isVersion2()) return [root];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));
}

function isVersion2(): boolean {
  return existsSync(join(root, "cgroup.controllers"));
}

/** Removes a cgroup, its children first; returns false while a process in it is still ending. */
function removeTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  for (const entry of readdirSync(folder)) {
    const child = join(folder, entry);
    if (existsSync(child) && statSync(child).isDirectory() && !removeTree(child)) return false;
  }
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

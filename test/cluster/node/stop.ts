import { rmSync } from "node:fs";
import { removeCgroups } from "./cgroups.ts";
import type { NodeLayout } from "./options.ts";
import type { ProcessId } from "./processes.ts";
import { childrenOf, identify, isRunning, kill } from "./processes.ts";
import { readState } from "./state.ts";
import { until } from "./wait.ts";

/**
 * Stops a node, also one of another process: kills the process that holds its namespaces, with which the kernel ends every other process,
 * mount and network inside; then removes its cgroup and its folder. Does nothing if no node runs.
 */
export async function stopNode(layout: NodeLayout): Promise<void> {
  const state = readState(layout.state);
  if (state && isRunning(state.holder)) await endNamespaces(state.holder);
  await removeCgroups(layout.cgroup);
  rmSync(layout.folder, { recursive: true, force: true, maxRetries: 10 });
}

/** Waits for process 1 inside, because it ends last. */
async function endNamespaces(holder: ProcessId): Promise<void> {
  const inside = childrenOf(holder.pid).flatMap((pid) => identify(pid) ?? []);
  await kill(holder);
  await until(() => !inside.some(isRunning), { what: "the end of the node's processes", timeoutMs: 20_000 });
}

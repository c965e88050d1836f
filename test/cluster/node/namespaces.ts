import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { guardGroup } from "../watchdog.ts";
import type { NodeLayout } from "./options.ts";
import type { ProcessId } from "./processes.ts";
import { childrenOf, identify } from "./processes.ts";
import { tailOfFile } from "./run.ts";
import { writeState } from "./state.ts";
import { until } from "./wait.ts";

/**
 * The network, mount and process namespaces of one node, kept by one process. Everything the node starts lives in
 * them: when the holder dies, the kernel kills every process inside, drops every mount and removes the networks,
 * the pods' own too. So there is one process to end, and nothing to leave behind.
 */
export interface Namespaces {
  holder: ProcessId;
  /** Process 1 inside, as the machine numbers it. */
  init: number;
  /** Arguments to put before a command that shall see the node's network, and this machine's files and processes. */
  enterNetwork: readonly string[];
  /** Arguments to put before a command that shall run wholly inside, and end with the node. */
  enterAll: readonly string[];
}

/**
 * Process 1 inside. Paths that the daemons hard-code are bound to the node's own folder, so that two nodes do not share
 * them and this machine's own paths stay unchanged. Mounts are shared inside, as on a real node, and private to it.
 * It must be bash, which collects the children that shims leave behind.
 */
const initScript = `set -eu
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
for folder in /var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers; do
  mkdir -p "$1$folder" "$folder"
  mount --bind "$1$folder" "$folder"
done
ip link set lo up
touch "$1/namespaces-ready"
while :; do sleep 1000000 & wait; done
`;

/** Makes the namespaces and returns when process 1 inside has set them up. Writes `layout.state` first of all. */
export async function createNamespaces(layout: NodeLayout): Promise<Namespaces> {
  mkdirSync(layout.logs, { recursive: true });
  const logFile = join(layout.logs, "namespaces.log");
  const ready = join(layout.folder, "namespaces-ready");
  rmSync(ready, { force: true });
  const log = openSync(logFile, "a");
  const unshare = ["--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
  const child = spawn("unshare", [...unshare, "bash", "-c", initScript, `bellhop-node-${layout.name}`, layout.folder], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.once("error", () => {}); // No process id follows, which the next lines report.
  const holder = child.pid === undefined ? undefined : identify(child.pid);
  if (!holder) throw new Error("`unshare` could not be started: install util-linux.");
  writeState(layout.state, { holder });
  if (!layout.outlives) child.once("exit", guardGroup(holder.pid));
  child.unref();
  await until(() => existsSync(ready) || child.exitCode !== null, { what: "the node's namespaces", timeoutMs: 15_000 });
  if (child.exitCode !== null) throw new Error(`the node's namespaces were refused:\n${tailOfFile(logFile)}`);
  return namespacesOf(holder);
}

/** The namespaces that a running holder keeps. */
export function namespacesOf(holder: ProcessId): Namespaces {
  const init = childrenOf(holder.pid)[0];
  if (init === undefined) throw new Error(`process ${holder.pid} holds no namespaces: is the node still running?`);
  return {
    holder,
    init,
    enterNetwork: ["nsenter", `--net=/proc/${init}/ns/net`, "--"],
    enterAll: ["nsenter", `--target=${init}`, "--net", "--mount", "--pid", "--"],
  };
}

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
 * The network, mount and process namespaces of one node, which one process holds. Everything that the node starts lives in them: when the
 * holder dies, the kernel kills every process inside, removes every mount and every network, also those of pods. So only one process must
 * be ended, and nothing is left behind.
 */
export interface Namespaces {
  holder: ProcessId;
  /** The process id, outside, of process 1 inside. */
  init: number;
  /** Prefix for a command line, so that the command runs in the node's network, with this machine's files and processes. */
  enterNetwork: readonly string[];
  /** Prefix for a command line, so that the command runs in all namespaces and ends with the node. */
  enterAll: readonly string[];
}

/**
 * The script of process 1 inside. It binds paths that the daemons hard-code to folders of the node, so that two nodes do not share them and
 * this machine's paths stay unchanged. Mounts are shared inside, as on a real node, but not with this machine. It must be bash, which reaps
 * the child processes that container shims leave.
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

/** Creates the namespaces and returns when process 1 inside has set them up. Writes `layout.state` before anything else. */
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
  child.once("error", () => {}); // The process then has no id, and the next lines report that.
  const holder = child.pid === undefined ? undefined : identify(child.pid);
  if (!holder) throw new Error("`unshare` could not be started: install util-linux.");
  writeState(layout.state, { holder });
  if (!layout.outlives) child.once("exit", guardGroup(holder.pid));
  child.unref();
  await until(() => existsSync(ready) || child.exitCode !== null, { what: "the node's namespaces", timeoutMs: 15_000 });
  if (child.exitCode !== null) throw new Error(`the node's namespaces were refused:\n${tailOfFile(logFile)}`);
  return namespacesOf(holder);
}

/** Finds the namespaces of a running holder. */
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

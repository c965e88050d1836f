import { join } from "node:path";
import type { StartedDaemon } from "./daemon.ts";
import { startDaemon } from "./daemon.ts";
import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { run, tryRun } from "./run.ts";

/** A simulated machine on the internet: a separate network behind the node, with a documentation address. */
export interface ExternalHost {
  name: string;
  /** An address in 203.0.113.0/24. */
  address: string;
  /** Prefix for a command line, so that the command runs on this host. */
  enter: readonly string[];
  /** Runs a command on this host, and returns when it has ended. */
  exec(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a process on this host. It ends with the node; its output is in `<node folder>/logs/<name>.log`. */
  start(name: string, argv: readonly string[], env?: NodeJS.ProcessEnv): StartedDaemon;
}

/** The node's address on the links to external hosts. Traffic of pods comes from this address. */
export const externalGateway = "203.0.113.1";

/** Creates an external host that is linked only to the node. Its network ends with the node. */
export async function createExternalHost(
  layout: NodeLayout,
  namespaces: Namespaces,
  host: { name: string; address: string },
): Promise<ExternalHost> {
  checkHost(host);
  await run([...namespaces.enterAll, "sh", "-euc", linkScript, "external-host", host.name, host.address]);
  // The path of the named network namespace, through the node's own /run (proc(5), the `root` of a process).
  const network = join("/proc", String(namespaces.init), "root", "run", "netns", host.name);
  const enter = ["nsenter", `--net=${network}`, "--"];
  return {
    ...host,
    enter,
    exec: (argv, options) => tryRun([...enter, ...argv], options),
    start: (name, argv, env = {}) => startDaemon(layout, namespaces, { name, argv, env, network, mounts: false }),
  };
}

const linkScript = `ip netns add "$1"
ip link add "x-$1" type veth peer name eth0 netns "$1"
ip addr add ${externalGateway}/32 dev "x-$1"
ip link set "x-$1" up
ip route add "$2/32" dev "x-$1" src ${externalGateway}
network=/run/netns/$1 address=$2
host() { nsenter --net="$network" ip "$@"; }
host link set lo up
host addr add "$address/32" dev eth0
host link set eth0 up
host route add ${externalGateway}/32 dev eth0
host route add default via ${externalGateway}
`;

function checkHost(host: { name: string; address: string }): void {
  if (!/^[a-z0-9]{1,10}$/.test(host.name)) throw new Error(`${host.name}: at most 10 lower-case letters and digits`);
  const last = Number(/^203\.0\.113\.(\d+)$/.exec(host.address)?.[1] ?? 0);
  if (last < 2 || last > 254) {
    throw new Error(`${host.address} is not in 203.0.113.2 to 203.0.113.254, the range for hosts outside`);
  }
}

import { join } from "node:path";
import type { StartedDaemon } from "./daemon.ts";
import { startDaemon } from "./daemon.ts";
import type { Namespaces } from "./namespaces.ts";
import type { NodeLayout } from "./options.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { run, tryRun } from "./run.ts";

/** A machine on "the internet": a network of its own behind the node, with a documentation address. */
export interface ExternalHost {
  name: string;
  /** In 203.0.113.0/24. */
  address: string;
  /** Arguments to put before a command that shall run on this host. */
  enter: readonly string[];
  /** Runs a command on this host to its end. */
  exec(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a process on this host that ends with the node; its output is in `<node folder>/logs/<name>.log`. */
  start(name: string, argv: readonly string[], env?: NodeJS.ProcessEnv): StartedDaemon;
}

/** The node's own address on the links to such hosts; pods reach them from it. */
export const externalGateway = "203.0.113.1";

/** Makes such a host, linked to the node and to nothing else. Its network ends with the node. */
export async function createExternalHost(
  layout: NodeLayout,
  namespaces: Namespaces,
  host: { name: string; address: string },
): Promise<ExternalHost> {
  checkHost(host);
  await run([...namespaces.enterAll, "sh", "-euc", linkScript, "external-host", host.name, host.address]);
  // As the node sees its own /run: `ip netns add` has named the network there (proc(5), the `root` of a process).
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

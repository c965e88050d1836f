import { join } from "node:path";
import { cacheFolder } from "./cache.ts";

/** Options of a node; all have a default, and two nodes differ at least in `name`. */
export interface NodeOptions {
  /** Lower-case letters, digits and dashes, at most 20; names the Node, its folder and its cgroup. `bellhop` by default. */
  name?: string;
  /** The node's address, in a /24 of its own that leads nowhere. `198.51.100.1` by default. */
  nodeAddress?: string;
  /** The pods' addresses, a /24. `10.244.0.0/24` by default. */
  podCIDR?: string;
  /** The services' addresses, a /16. `10.96.0.0/16` by default. */
  serviceCIDR?: string;
  /** Port of the API server in the node's network. 6443 by default. */
  apiPort?: number;
  /** Whether something enforces NetworkPolicy, as on a good cluster, or nothing does. `enforced` by default. */
  networkPolicy?: "enforced" | "ignored";
  /** Whether the node keeps running after the end of the process that started it. False by default. */
  outlives?: boolean;
  /** Folder with the Kubernetes daemons; by default they are found or built. */
  daemons?: string;
  /** Takes one line for each step of the start. */
  log?: (line: string) => void;
}

/** The options with their defaults, and every path and address that follows from them. */
export interface NodeLayout {
  name: string;
  address: string;
  podCIDR: string;
  /** First address of the pod range, where the pods' traffic enters the node. */
  podGateway: string;
  serviceCIDR: string;
  /** The `kubernetes` Service: first address of the service range. */
  kubernetesService: string;
  apiPort: number;
  apiURL: string;
  networkPolicy: "enforced" | "ignored";
  outlives: boolean;
  /** Everything the node writes, and nothing else. */
  folder: string;
  pki: string;
  logs: string;
  state: string;
  containerdSocket: string;
  /** Requests of the CNI plugin to the enforcer, and its answers; below `folder`. */
  policyRequests: string;
  /** Name of its cgroup, at the top of every hierarchy. */
  cgroup: string;
}

/** Fills in the defaults; throws a human-readable message if the name is invalid. */
export function layoutOf(options: NodeOptions = {}): NodeLayout {
  const name = options.name ?? "bellhop";
  if (!/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name)) {
    throw new Error(
      `A node's name has at most 20 lower-case letters, digits and dashes: ${JSON.stringify(name)} is none.`,
    );
  }
  const address = options.nodeAddress ?? "198.51.100.1";
  const podCIDR = options.podCIDR ?? "10.244.0.0/24";
  const serviceCIDR = options.serviceCIDR ?? "10.96.0.0/16";
  const apiPort = options.apiPort ?? 6443;
  const folder = join(cacheFolder(), "nodes", name);
  return {
    name,
    address,
    podCIDR,
    podGateway: firstAddress(podCIDR),
    serviceCIDR,
    kubernetesService: firstAddress(serviceCIDR),
    apiPort,
    apiURL: `https://${address}:${apiPort}`,
    networkPolicy: options.networkPolicy ?? "enforced",
    outlives: options.outlives ?? false,
    folder,
    pki: join(folder, "pki"),
    logs: join(folder, "logs"),
    state: join(folder, "state.json"),
    containerdSocket: join(folder, "containerd", "containerd.sock"),
    policyRequests: join(folder, "policy-requests"),
    cgroup: `bellhop-${name}`,
  };
}

function firstAddress(cidr: string): string {
  const [network = ""] = cidr.split("/");
  return network.replace(/\.\d+$/, ".1");
}

import { join } from "node:path";
import { cacheFolder } from "./cache.ts";

/** Options of a node; all have a default. Two nodes must differ at least in `name`. */
export interface NodeOptions {
  /** Lower-case letters, digits and dashes, at most 20. Names the Node, its folder and its cgroup. Default: `bellhop`. */
  name?: string;
  /** The node's address, in a separate /24 that is not routed anywhere. Default: `198.51.100.1`. */
  nodeAddress?: string;
  /** The pods' addresses, a /24. `10.244.0.0/24` by default. */
  podCIDR?: string;
  /** The services' addresses, a /16. `10.96.0.0/16` by default. */
  serviceCIDR?: string;
  /** Port of the API server in the node's network. 6443 by default. */
  apiPort?: number;
  /** Whether NetworkPolicies are enforced, as on most clusters, or ignored. Default: `enforced`. */
  networkPolicy?: "enforced" | "ignored";
  /** Whether the node keeps running after the process that started it has ended. Default: false. */
  outlives?: boolean;
  /** Folder with the Kubernetes daemons; by default they are found or built. */
  daemons?: string;
  /** Called with a line for each step of the start. */
  log?: (line: string) => void;
}

/** The options with their defaults, and all paths and addresses that result from them. */
export interface NodeLayout {
  name: string;
  address: string;
  podCIDR: string;
  /** First address of the pods' range: the node's address on their network. */
  podGateway: string;
  serviceCIDR: string;
  /** Address of the Service `kubernetes`: the first of the services' range. */
  kubernetesService: string;
  apiPort: number;
  apiURL: string;
  networkPolicy: "enforced" | "ignored";
  outlives: boolean;
  /** All files of the node are below this folder. */
  folder: string;
  pki: string;
  logs: string;
  state: string;
  containerdSocket: string;
  /** Folder for the CNI plugin's requests to the enforcer, and its answers; below `folder`. */
  policyRequests: string;
  /** Name of the node's cgroup, directly below the root of every hierarchy. */
  cgroup: string;
}

/** Fills in the defaults; throws a human-readable message if the name is invalid. */
export function layoutOf(options: NodeOptions = {}): NodeLayout {
  const name = options.name ?? "bellhop";
  if (!/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name)) {
    throw new Error(
      `A node's name has at most 20 lower-case letters, digits and dashes: ${JSON.stringify(name)} is invalid.`,
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

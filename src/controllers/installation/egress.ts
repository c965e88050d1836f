import { endpointSlices, nodes, services } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Clock } from "../../shared/clock.ts";
import { createMemo } from "../../shared/memo.ts";

type Probe = SandboxSpec["egress"]["probes"][number];

/** Dependencies of `egressProbes`. */
export interface EgressDeps {
  client: KubeClient;
  clock: Clock;
  /**
   * Our own addresses that have just answered over the pod network. Only such an address can show something: if an address answers nobody,
   * its silence towards the sandbox proves nothing.
   */
  canaries(signal: AbortSignal): Promise<{ host: string; port: number }[]>;
}

const kubeletPort = 10_250;
const dnsPort = 53;
const maxNodes = 3;
const maxCanaries = 2;

/** Addresses to probe in a sandbox; `notProbed` lists those without a known address. */
type EgressProbes = Pick<SandboxSpec["egress"], "probes" | "notProbed">;

/** Addresses of the cluster itself change rarely, so that a burst of sandboxes needs one look. */
const keptMs = 60_000;

/**
 * Returns the function that finds the addresses that a sandbox must not reach: API server, a canary of ours, nodes, the cluster's DNS. All but
 * the canary may be a minute old.
 */
export function egressProbes(deps: EgressDeps): (signal: AbortSignal) => Promise<EgressProbes> {
  const memo = createMemo<ClusterAddresses>(deps.clock, keptMs);
  return async (signal) => {
    const [{ api, nodes: known, dns }, canary] = await Promise.all([
      memo("cluster", () => clusterAddresses(deps.client, signal)),
      canaries(deps, signal),
    ]);
    const { probed, more } = known;
    const found = { "API server": api, "canary: no gateway answers": canary, nodes: probed, "cluster DNS": dns };
    const absent = Object.entries(found).flatMap(([name, probes]) => (probes.length === 0 ? [name] : []));
    return {
      probes: Object.values(found).flat(),
      notProbed: [...absent, ...(more > 0 ? [`${more} more nodes`] : [])],
    };
  };
}

interface ClusterAddresses {
  api: Probe[];
  nodes: { probed: Probe[]; more: number };
  dns: Probe[];
}

async function clusterAddresses(client: KubeClient, signal: AbortSignal): Promise<ClusterAddresses> {
  const [api, known, dns] = await Promise.all([
    apiServers(client, signal),
    nodeAddresses(client, signal),
    clusterDNS(client, signal),
  ]);
  return { api, nodes: known, dns };
}

async function apiServers(client: KubeClient, signal: AbortSignal): Promise<Probe[]> {
  const { items } = await client.list(endpointSlices, {
    namespace: "default",
    labelSelector: "kubernetes.io/service-name=kubernetes",
    signal,
  });
  return items.flatMap(({ endpoints, ports }) =>
    // `null` if there are none.
    ((endpoints as typeof endpoints | null) ?? []).flatMap(({ addresses }) =>
      addresses.map((host) => ({ name: "API server", host, port: ports?.[0]?.port ?? 443 })),
    ),
  );
}

async function canaries(deps: EgressDeps, signal: AbortSignal): Promise<Probe[]> {
  const answered = await deps.canaries(signal);
  return answered.slice(0, maxCanaries).map((address) => ({ name: "canary", ...address }));
}

/** Some of the nodes, since a network plugin treats all of them alike; `more` is the number of the others. */
async function nodeAddresses(client: KubeClient, signal: AbortSignal): Promise<{ probed: Probe[]; more: number }> {
  const { items } = await client.list(nodes, { signal });
  const known = items.flatMap(({ metadata, status }) => {
    const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    return address === undefined ? [] : [{ name: `node ${metadata.name}`, host: address, port: kubeletPort }];
  });
  const probed = known.slice(0, maxNodes);
  return { probed, more: probed.length === 0 ? 0 : items.length - probed.length };
}

async function clusterDNS(client: KubeClient, signal: AbortSignal): Promise<Probe[]> {
  const service = await client.find(services, { namespace: "kube-system", name: "kube-dns" }, signal);
  const host = service?.spec?.clusterIP;
  if (host === undefined || host === "None") return [];
  const probe = { name: "cluster DNS", host, port: dnsPort };
  return [probe, { ...probe, protocol: "dns" }];
}

import type {
  V1Namespace,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1Pod,
} from "@kubernetes/client-node";
import { selects } from "./selects.ts";

/** The enforcer's view of the cluster at one moment. */
export interface ClusterFacts {
  policies: readonly V1NetworkPolicy[];
  pods: readonly V1Pod[];
  namespaces: readonly V1Namespace[];
  /** Address of each pod that has a network on this node, by the pod's uid. */
  addresses: ReadonlyMap<string, string>;
}

/** The traffic that one pod may receive and send. An absent direction is not restricted; an empty list allows nothing. */
export interface PodRules {
  address: string;
  ingress?: AllowRule[];
  egress?: AllowRule[];
}

/** Allowed traffic: with any of the peers, to any of the ports. */
export interface AllowRule {
  peers: "any" | Peers[];
  ports: "any" | PortRange[];
}

/** IPv4 ranges in CIDR notation, without those in `except`. */
export interface Peers {
  cidrs: string[];
  except: string[];
}

/** A range of ports; for a single port `last` equals `first`. Without `first`, all ports of the protocol. */
export interface PortRange {
  protocol: string;
  first?: number;
  last?: number;
}

type Direction = "ingress" | "egress";

/**
 * Computes the rules of every pod that a policy selects, as the NetworkPolicy API defines: policies add up, and a selected pod may only
 * have the traffic that a rule allows, in the directions of the policy. All traffic is denied for an address whose pod does not exist any
 * more. Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function decide(facts: ClusterFacts): PodRules[] {
  const pods = new Map(facts.pods.map((pod) => [pod.metadata?.uid ?? "", pod]));
  const rules: PodRules[] = [];
  for (const [uid, address] of facts.addresses) {
    const pod = pods.get(uid);
    if (pod === undefined) rules.push({ address, ingress: [], egress: [] });
    else rules.push({ address, ...directionsOf(pod, facts) });
  }
  return rules.filter((each) => each.ingress !== undefined || each.egress !== undefined);
}

function directionsOf(pod: V1Pod, facts: ClusterFacts): Omit<PodRules, "address"> {
  const mine = facts.policies.filter(
    (policy) =>
      policy.metadata?.namespace === pod.metadata?.namespace &&
      selects(policy.spec?.podSelector ?? {}, pod.metadata?.labels),
  );
  const rules: Omit<PodRules, "address"> = {};
  for (const direction of ["ingress", "egress"] as const) {
    const applying = mine.filter((policy) => restricts(policy, direction));
    if (applying.length > 0) rules[direction] = applying.flatMap((policy) => allowed(policy, direction, pod, facts));
  }
  return rules;
}

/** Without `policyTypes` a policy restricts ingress, and also egress if it has egress rules. */
function restricts(policy: V1NetworkPolicy, direction: Direction): boolean {
  const types = policy.spec?.policyTypes;
  if (types && types.length > 0) return types.some((type) => type.toLowerCase() === direction);
  return direction === "ingress" || (policy.spec?.egress?.length ?? 0) > 0;
}

function allowed(policy: V1NetworkPolicy, direction: Direction, pod: V1Pod, facts: ClusterFacts): AllowRule[] {
  const namespace = policy.metadata?.namespace ?? "";
  const rules =
    direction === "ingress"
      ? (policy.spec?.ingress ?? []).map((rule) => ({ peers: rule._from, ports: rule.ports }))
      : (policy.spec?.egress ?? []).map((rule) => ({ peers: rule.to, ports: rule.ports }));
  return rules.flatMap(({ peers = [], ports = [] }) => {
    const plain = ports.filter((port) => typeof port.port !== "string");
    const named = ports.filter((port) => typeof port.port === "string");
    const anyone: "any" | Peers[] = peers.length === 0 ? "any" : peers.map((peer) => peersOf(peer, namespace, facts));
    const byName = named.flatMap((port) =>
      direction === "ingress"
        ? portOf(pod, port).map((range) => ({ peers: anyone, ports: [range] }))
        : namedEgress(peers, port, namespace, facts),
    );
    if (ports.length > 0 && plain.length === 0) return byName;
    return [{ peers: anyone, ports: ports.length === 0 ? "any" : plain.map(rangeOf) }, ...byName];
  });
}

/** A named port means the port with this name at the receiving pod, so its number can differ from peer to peer. */
function namedEgress(
  peers: V1NetworkPolicyPeer[],
  port: V1NetworkPolicyPort,
  namespace: string,
  facts: ClusterFacts,
): AllowRule[] {
  const pods =
    peers.length === 0 ? facts.pods : peers.flatMap((peer) => (peer.ipBlock ? [] : podsOf(peer, namespace, facts)));
  return pods.flatMap((pod) => {
    const address = addressOf(pod, facts);
    if (address === undefined) return [];
    return portOf(pod, port).map((range) => ({ peers: [{ cidrs: [`${address}/32`], except: [] }], ports: [range] }));
  });
}

function peersOf(peer: V1NetworkPolicyPeer, namespace: string, facts: ClusterFacts): Peers {
  if (peer.ipBlock) return { cidrs: [peer.ipBlock.cidr], except: peer.ipBlock.except ?? [] };
  const addresses = podsOf(peer, namespace, facts).flatMap((pod) => addressOf(pod, facts) ?? []);
  return { cidrs: addresses.map((address) => `${address}/32`), except: [] };
}

function podsOf(peer: V1NetworkPolicyPeer, namespace: string, facts: ClusterFacts): V1Pod[] {
  const selector = peer.namespaceSelector;
  const namespaces = selector
    ? facts.namespaces.filter((each) => selects(selector, each.metadata?.labels)).map((each) => each.metadata?.name)
    : [namespace];
  return facts.pods.filter(
    (pod) => namespaces.includes(pod.metadata?.namespace) && selects(peer.podSelector ?? {}, pod.metadata?.labels),
  );
}

function addressOf(pod: V1Pod, facts: ClusterFacts): string | undefined {
  return facts.addresses.get(pod.metadata?.uid ?? "");
}

function portOf(pod: V1Pod, port: V1NetworkPolicyPort): PortRange[] {
  const protocol = port.protocol ?? "TCP";
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers
    .flatMap((container) => container.ports ?? [])
    .filter((each) => each.name === port.port && (each.protocol ?? "TCP") === protocol)
    .map((each) => ({ protocol, first: each.containerPort, last: each.containerPort }));
}

function rangeOf(port: V1NetworkPolicyPort): PortRange {
  const protocol = port.protocol ?? "TCP";
  if (typeof port.port !== "number") return { protocol };
  return { protocol, first: port.port, last: port.endPort ?? port.port };
}

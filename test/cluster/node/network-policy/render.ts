import { createHash } from "node:crypto";
import type { AllowRule, Peers, PodRules, PortRange } from "./decide.ts";

/** The input for `ipset restore` and `iptables-restore --noflush`, and the names that exist afterwards. */
export interface Rendered {
  /** Sets by name. A set's name is the hash of its content, so an existing set never changes. */
  sets: Map<string, string[]>;
  /** Chains by name, each with its rules; the first is the entry chain. */
  chains: Map<string, string[]>;
}

/** The chain for all packets to a pod, from a pod, or from a pod to the node itself. */
export const entryChain = "BH-POLICY";

/**
 * Renders the rules for the kernel. They are in the `mangle` table: after the translation of service addresses, and before kube-proxy's
 * rules in `filter`, which accept some packets early. A pod's chain drops every packet that no rule returns. Accepted connections continue.
 */
export function render(pods: readonly PodRules[]): Rendered {
  const rendered: Rendered = { sets: new Map(), chains: new Map() };
  const entry = ["-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"];
  rendered.chains.set(entryChain, entry);
  for (const { address, ingress, egress } of pods) {
    if (egress) {
      entry.push(`-s ${address}/32 ! -d ${address}/32 -j ${chainOf("E", address)}`);
      rendered.chains.set(chainOf("E", address), podChain(egress, "dst", rendered));
    }
    if (ingress) {
      entry.push(`-d ${address}/32 ! -s ${address}/32 -j ${chainOf("I", address)}`);
      rendered.chains.set(chainOf("I", address), podChain(ingress, "src", rendered));
    }
  }
  return rendered;
}

/** The input for `iptables-restore` that replaces the chains `before` by these, atomically. */
export function restoreText(chains: Rendered["chains"], before: Iterable<string>): string {
  const stale = [...before].filter((chain) => !chains.has(chain));
  const lines = [...chains.keys(), ...stale].map((chain) => `:${chain} - [0:0]`);
  for (const [chain, rules] of chains) lines.push(...rules.map((rule) => `-A ${chain} ${rule}`));
  lines.push(...stale.map((chain) => `-X ${chain}`));
  return ["*mangle", ...lines, "COMMIT", ""].join("\n");
}

function podChain(rules: readonly AllowRule[], peerIs: "src" | "dst", rendered: Rendered): string[] {
  const lines = rules.flatMap((rule) =>
    peerMatches(rule.peers, peerIs, rendered).flatMap((peer) =>
      portMatches(rule.ports).map((port) => `${peer}${port}-j RETURN`),
    ),
  );
  return [...new Set(lines), "-j DROP"];
}

function peerMatches(peers: AllowRule["peers"], peerIs: "src" | "dst", rendered: Rendered): string[] {
  if (peers === "any") return [""];
  return peers
    .filter((each) => each.cidrs.length > 0 && each.cidrs.every(isIPv4))
    .map((each) => `-m set --match-set ${addSet(each, rendered)} ${peerIs} `);
}

function portMatches(ports: AllowRule["ports"]): string[] {
  return ports === "any" ? [""] : ports.map(portMatch);
}

function portMatch({ protocol, first, last }: PortRange): string {
  const name = protocol.toLowerCase();
  return first === undefined ? `-p ${name} ` : `-p ${name} -m ${name} --dport ${first}:${last ?? first} `;
}

/** Adds a set. `except` ranges become `nomatch` entries, because the narrowest matching range of a set wins. */
function addSet(peers: Peers, rendered: Rendered): string {
  const lines = [
    ...peers.cidrs.flatMap(halves),
    ...peers.except.filter(isIPv4).flatMap((each) => halves(each).map((half) => `${half} nomatch`)),
  ].sort();
  const name = `bh-${createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 20)}`;
  rendered.sets.set(name, lines);
  return name;
}

/** Splits a range of length 0 in two, because `hash:net` cannot contain it. */
function halves(cidr: string): string[] {
  return cidr.endsWith("/0") ? ["0.0.0.0/1", "128.0.0.0/1"] : [cidr];
}

function chainOf(direction: "E" | "I", address: string): string {
  return `BH-${direction}-${address}`;
}

/** Pods have no IPv6 address here, so a rule with IPv6 ranges allows nothing. */
function isIPv4(cidr: string): boolean {
  return !cidr.includes(":");
}

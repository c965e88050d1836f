import type { Clock } from "../shared/clock.ts";
import type { Grant } from "./capability.ts";

/** The pods that this replica has recently seen at each address. */
export interface Peers {
  /** Records the pod of a grant at its address, and returns the grants of other pods recently seen there. */
  claim(grant: Grant): Grant[];
  /** Removes a pod that has ended: another pod may have its address now. */
  forget(grant: Grant): void;
}

/** How long a pod counts as present after its last request. */
const presenceMs = 120_000;

/** Creates an empty record. With `shared: true` (the process node, where every peer is the loopback address) it never reports other pods. */
export function createPeers(clock: Clock, options: { shared: boolean }): Peers {
  const seen = new Map<string, Map<string, { grant: Grant; atMs: number }>>();
  const presentAt = (address: string, nowMs: number): Map<string, { grant: Grant; atMs: number }> =>
    new Map([...(seen.get(address) ?? [])].filter(([, { atMs }]) => nowMs - atMs < presenceMs));
  return {
    claim(grant) {
      if (options.shared) return [];
      const nowMs = clock.now().getTime();
      const pods = presentAt(grant.peer, nowMs).set(grant.podUID, { grant, atMs: nowMs });
      seen.set(grant.peer, pods);
      return [...pods.values()].filter((pod) => pod.grant.podUID !== grant.podUID).map((pod) => pod.grant);
    },
    forget({ peer, podUID }) {
      seen.get(peer)?.delete(podUID);
    },
  };
}

import type { Clock } from "../shared/clock.ts";
import type { Grant } from "./capability.ts";

/** Remembers which pods were seen behind which address, as far as this replica has seen. */
export interface Peers {
  /** Notes a grant's pod at its address; answers the grants of other pods that were seen there lately. */
  claim(grant: Grant): Grant[];
  /** Drops a pod that is gone: its address may be another's now. */
  forget(grant: Grant): void;
}

/** How long a pod counts as being there after its last word. */
const livingMs = 120_000;

/** Creates the memory. `shared: true` (the process node, where every peer is the loopback) sees nobody beside anybody. */
export function createPeers(clock: Clock, options: { shared: boolean }): Peers {
  const seen = new Map<string, Map<string, { grant: Grant; atMs: number }>>();
  const here = (address: string, nowMs: number): Map<string, { grant: Grant; atMs: number }> =>
    new Map([...(seen.get(address) ?? [])].filter(([, { atMs }]) => nowMs - atMs < livingMs));
  return {
    claim(grant) {
      if (options.shared) return [];
      const nowMs = clock.now().getTime();
      const pods = here(grant.peer, nowMs).set(grant.podUID, { grant, atMs: nowMs });
      seen.set(grant.peer, pods);
      return [...pods.values()].filter((pod) => pod.grant.podUID !== grant.podUID).map((pod) => pod.grant);
    },
    forget({ peer, podUID }) {
      seen.get(peer)?.delete(podUID);
    },
  };
}

import type { Clock } from "../shared/clock.ts";

/** Remembers which pod is behind which address, as far as this replica has seen. */
export interface Peers {
  /** Notes a pod at an address; false when another living pod is there too: then neither can be told from the other. */
  claim(address: string, podUID: string): boolean;
}

/** How long a pod counts as living after its last word. */
const livingMs = 120_000;

/** Creates the memory. `shared: true` (the process node, where every peer is the loopback) lets every claim through. */
export function createPeers(clock: Clock, options: { shared: boolean }): Peers {
  const seen = new Map<string, Map<string, number>>();
  return {
    claim(address, podUID) {
      if (options.shared) return true;
      const now = clock.now().getTime();
      const here = new Map([...(seen.get(address) ?? [])].filter(([, at]) => now - at < livingMs));
      here.set(podUID, now);
      seen.set(address, here);
      return here.size === 1;
    },
  };
}

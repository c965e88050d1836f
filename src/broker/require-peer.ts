import type { KubeClient } from "../kube/types.ts";
import type { Grant } from "./capability.ts";
import { liveTask, whyFenced } from "./fence.ts";
import type { Peers } from "./peers.ts";
import { Refusal } from "./refusal.ts";

/** Dependencies of `requirePeer`. */
export interface PeerDeps {
  client: KubeClient;
  peers: Peers;
}

/**
 * Refuses an address that more than one running sandbox uses, because then something rewrites source addresses. Pods that have ended do not
 * count: clusters reuse addresses.
 */
export async function requirePeer({ client, peers }: PeerDeps, grant: Grant, signal: AbortSignal): Promise<void> {
  for (const other of peers.claim(grant)) {
    if (whyFenced(await liveTask(client, other, signal), other) === undefined) throw sourceAddressHidden(grant.peer);
    peers.forget(other);
  }
}

function sourceAddressHidden(peer: string): Refusal {
  return new Refusal(
    403,
    "SourceAddressHidden",
    `two sandboxes connect from ${peer}: something between sandbox and broker (a service mesh, masquerading) rewrites source addresses; exclude this traffic from it`,
  );
}

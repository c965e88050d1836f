import type { KubeClient } from "../kube/types.ts";
import type { Grant } from "./capability.ts";
import { fenced, liveTask } from "./fence.ts";
import type { Peers } from "./peers.ts";
import { Refusal } from "./refusal.ts";

/** What telling sandboxes apart needs. */
export interface PeerDeps {
  client: KubeClient;
  peers: Peers;
}

/**
 * Refuses an address behind which there is more than one sandbox at work: something rewrites source addresses. A pod that is gone does not
 * count, whoever was seen there before: clusters give addresses again.
 */
export async function requirePeer({ client, peers }: PeerDeps, grant: Grant, signal: AbortSignal): Promise<void> {
  for (const other of peers.claim(grant)) {
    if (fenced(await liveTask(client, other, signal), other) === undefined) throw hidden(grant.peer);
    peers.forget(other);
  }
}

function hidden(peer: string): Refusal {
  return new Refusal(
    403,
    "SourceAddressHidden",
    `two sandboxes come from ${peer}: something between sandbox and broker rewrites source addresses (a mesh, masquerading); take it out of the way`,
  );
}

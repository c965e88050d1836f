import type { KubeClient } from "../kube/types.ts";
import type { Clock } from "../shared/clock.ts";
import { readCapability, type Grant, type SigningKeys } from "./capability.ts";
import { liveTask, whyFenced } from "./fence.ts";
import { Refusal, unauthorized } from "./refusal.ts";

/** Dependencies of `requireGrant`. */
export interface GuardDeps {
  client: KubeClient;
  clock: Clock;
  peers: Peers;
  /** The signing keys; undefined until the operator has stored them. */
  keys: () => SigningKeys | undefined;
}

/** The credentials and the address of a caller. */
export interface Caller {
  authorization: string | undefined;
  /** The address at the other end of the connection. */
  peer: string;
}

/** The grant in the `Authorization` header of a request. Throws `Refusal` if it is invalid or used from another address than the one it was issued to. */
export async function requireGrant(deps: GuardDeps, caller: Caller, signal: AbortSignal): Promise<Grant> {
  const grant = readCapability(bearerOrBasic(caller.authorization), requireKeys(deps), deps.clock.now());
  if (!grant) throw unauthorized();
  if (grant.peer !== caller.peer) {
    throw new Refusal(
      403,
      "WrongAddress",
      `this capability was issued to ${grant.peer} but is used from ${caller.peer}`,
    );
  }
  await requirePeer(deps, grant, signal);
  return grant;
}

/** Like `requireGrant`, for routes that only a courier may use. */
export async function requireCourier(deps: GuardDeps, caller: Caller, signal: AbortSignal): Promise<Grant> {
  const grant = await requireGrant(deps, caller, signal);
  if (grant.scope === "courier") return grant;
  throw new Refusal(
    403,
    "CourierOnly",
    "agents may only fetch; the courier commits your changes in the workspace for you",
  );
}

/** The signing keys. Throws `Refusal` until the operator has stored them. */
export function requireKeys({ keys }: Pick<GuardDeps, "keys">): SigningKeys {
  const found = keys();
  if (!found) throw new Refusal(503, "NoKeys", "the broker has no signing keys yet; try again in a moment");
  return found;
}

/** The capability in the header. Git uses Basic if the URL contains a user; then the password is the capability. */
function bearerOrBasic(header: string | undefined): string {
  const [scheme, value] = (header ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer") return value ?? "";
  if (scheme?.toLowerCase() !== "basic") return "";
  return Buffer.from(value ?? "", "base64")
    .toString()
    .replace(/^[^:]*:/, "");
}

/**
 * Refuses an address that more than one running sandbox uses, because then something rewrites source addresses. Pods that have ended do not
 * count: clusters reuse addresses.
 */
export async function requirePeer(
  { client, peers }: Pick<GuardDeps, "client" | "peers">,
  grant: Grant,
  signal: AbortSignal,
): Promise<void> {
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

/** The pods that this replica has recently seen at each address. */
export interface Peers {
  /** Records the pod of a grant at its address, and returns the grants of other pods recently seen there. */
  claim(grant: Grant): Grant[];
  /** Removes a pod that has ended: another pod may have its address now. */
  forget(grant: Grant): void;
}

/** How long a pod counts as present after its last request. */
const presenceMs = 120_000;

/** Creates an empty record. With `shared: true` it never reports other pods: on the process node every pod has the loopback address. */
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

import type { Clock } from "../shared/clock.ts";
import { readCapability, type Grant, type SigningKeys } from "./capability.ts";
import { Refusal, unauthorized } from "./refusal.ts";
import { requirePeer, type PeerDeps } from "./require-peer.ts";

/** Dependencies of `requireGrant`. */
export interface GuardDeps extends PeerDeps {
  clock: Clock;
  keys: () => SigningKeys;
}

/** The credentials and the address of a caller. */
export interface Caller {
  authorization: string | undefined;
  /** The address at the other end of the connection. */
  peer: string;
}

/** The grant in the `Authorization` header of a request. Throws `Refusal` if it is invalid or used from another address than the one it was issued to. */
export async function requireGrant(deps: GuardDeps, caller: Caller, signal: AbortSignal): Promise<Grant> {
  const grant = readCapability(bearerOrBasic(caller.authorization), deps.keys(), deps.clock.now());
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

/** The capability in the header. Git uses Basic if the URL contains a user; then the password is the capability. */
function bearerOrBasic(header: string | undefined): string {
  const [scheme, value] = (header ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer") return value ?? "";
  if (scheme?.toLowerCase() !== "basic") return "";
  return Buffer.from(value ?? "", "base64")
    .toString()
    .replace(/^[^:]*:/, "");
}

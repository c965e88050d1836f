import type { Clock } from "../shared/clock.ts";
import { readCapability, type Grant, type SigningKeys } from "./capability.ts";
import { Refusal, unauthorized } from "./refusal.ts";
import { requirePeer, type PeerDeps } from "./require-peer.ts";

/** What the guard needs. */
export interface GuardDeps extends PeerDeps {
  clock: Clock;
  keys: () => SigningKeys;
}

/** What a request brings to prove who it is. */
export interface Caller {
  authorization: string | undefined;
  /** The address at the other end of the connection. */
  peer: string;
}

/** The grant behind a request's `Authorization`, used from the address it was given to. */
export async function requireGrant(deps: GuardDeps, caller: Caller, signal: AbortSignal): Promise<Grant> {
  const grant = readCapability(bearerOrBasic(caller.authorization), deps.keys(), deps.clock.now());
  if (!grant) throw unauthorized();
  if (grant.peer !== caller.peer) {
    throw new Refusal(
      403,
      "WrongAddress",
      `this capability was given to ${grant.peer} and is used from ${caller.peer}`,
    );
  }
  await requirePeer(deps, grant, signal);
  return grant;
}

/** As `requireGrant`, for routes that only a courier may use. */
export async function requireCourier(deps: GuardDeps, caller: Caller, signal: AbortSignal): Promise<Grant> {
  const grant = await requireGrant(deps, caller, signal);
  if (grant.scope === "courier") return grant;
  throw new Refusal(
    403,
    "CourierOnly",
    "agents may fetch, and nothing else; what you change in the workspace is committed for you",
  );
}

/** Git sends Basic where a URL carries a user; its password is the capability then. */
function bearerOrBasic(header: string | undefined): string {
  const [scheme, value] = (header ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer") return value ?? "";
  if (scheme?.toLowerCase() !== "basic") return "";
  return Buffer.from(value ?? "", "base64")
    .toString()
    .replace(/^[^:]*:/, "");
}

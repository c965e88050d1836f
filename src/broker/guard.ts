import type { Clock } from "../shared/clock.ts";
import { readCapability, type Grant, type SigningKeys } from "./capability.ts";
import type { Peers } from "./peers.ts";
import { Refusal, unauthorized } from "./refusal.ts";
import { requirePeer } from "./session.ts";

/** What the guard needs. */
export interface GuardDeps {
  clock: Clock;
  keys: () => SigningKeys;
  peers: Peers;
}

/** The grant behind a request's `Authorization`, used from the address it was given to. */
export function requireGrant(deps: GuardDeps, request: { authorization: string | undefined; peer: string }): Grant {
  const grant = readCapability(bearerOrBasic(request.authorization), deps.keys(), deps.clock.now());
  if (!grant) throw unauthorized();
  if (grant.peer !== request.peer) {
    throw new Refusal(
      403,
      "WrongAddress",
      `this capability was given to ${grant.peer} and is used from ${request.peer}`,
    );
  }
  requirePeer(deps.peers, grant);
  return grant;
}

/** As `requireGrant`, for routes that only a courier may use. */
export function requireCourier(deps: GuardDeps, request: { authorization: string | undefined; peer: string }): Grant {
  const grant = requireGrant(deps, request);
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

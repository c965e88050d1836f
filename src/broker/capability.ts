import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** The proven identity of a caller. It is signed into the capability, so that every replica can verify it. */
export const grant = z.object({
  namespace: z.string(),
  task: z.string(),
  taskUID: z.string(),
  attempt: z.int().min(1),
  podUID: z.string(),
  /** The address that opened the session. The capability is valid only from this address. */
  peer: z.string(),
  /** `courier`: every route. `agent`: fetches only. */
  scope: z.enum(["courier", "agent"]),
  /** Seconds since the epoch. */
  exp: z.int(),
});
export type Grant = z.infer<typeof grant>;

/** The valid signing keys. The first key signs and all keys verify, so that a rotation interrupts no session. */
export type SigningKeys = readonly [Uint8Array, ...Uint8Array[]];

/** Signs a grant as `<payload>.<HMAC-SHA256>`, both in base64url. */
export function signCapability(content: Grant, keys: SigningKeys): string {
  const payload = Buffer.from(JSON.stringify(content)).toString("base64url");
  return `${payload}.${mac(payload, keys[0]).toString("base64url")}`;
}

/** The grant in a capability; undefined if no key verifies it or if it has expired. Compared in constant time. */
export function readCapability(text: string, keys: SigningKeys, now: Date): Grant | undefined {
  const [payload, signature, ...rest] = text.split(".");
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const given = Buffer.from(signature, "base64url");
  const signed = keys.map((key) => equal(mac(payload, key), given)).includes(true);
  if (!signed) return undefined;
  const content = parseGrant(payload);
  return content && content.exp * 1000 > now.getTime() ? content : undefined;
}

/** The payload is signed by us, but maybe by a version with another format. Then it is invalid, and the courier opens a new session. */
function parseGrant(payload: string): Grant | undefined {
  return grant.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString())).data;
}

function mac(payload: string, key: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`bellhop-capability.${payload}`).digest();
}

function equal(expected: Buffer, given: Buffer): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given);
}

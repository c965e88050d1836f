import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** Who a request comes from, once proven: signed into the capability, so that any replica can tell. */
export const grant = z.object({
  namespace: z.string(),
  task: z.string(),
  taskUID: z.string(),
  attempt: z.int().min(1),
  podUID: z.string(),
  /** The address the session was opened from; the only one it may be used from. */
  peer: z.string(),
  /** `courier`: every route. `agent`: fetches only. */
  scope: z.enum(["courier", "agent"]),
  /** Seconds since the epoch. */
  exp: z.int(),
});
export type Grant = z.infer<typeof grant>;

/** The signing keys in force: the first signs, all verify, so that a rotation cuts nobody off. */
export type SigningKeys = readonly [Uint8Array, ...Uint8Array[]];

/** `<payload>.<HMAC-SHA256>`, both base64url. */
export function signCapability(content: Grant, keys: SigningKeys): string {
  const payload = Buffer.from(JSON.stringify(content)).toString("base64url");
  return `${payload}.${mac(payload, keys[0]).toString("base64url")}`;
}

/** The grant in a capability that one of the keys signed and that has not run out; compared in constant time. */
export function readCapability(text: string, keys: SigningKeys, now: Date): Grant | undefined {
  const [payload, signature, ...rest] = text.split(".");
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const given = Buffer.from(signature, "base64url");
  const signed = keys.map((key) => equal(mac(payload, key), given)).includes(true);
  if (!signed) return undefined;
  const content = read(payload);
  return content && content.exp * 1000 > now.getTime() ? content : undefined;
}

/** Signed by us, but perhaps by a version that granted something else: then a new session is opened. */
function read(payload: string): Grant | undefined {
  return grant.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString())).data;
}

function mac(payload: string, key: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`bellhop-capability.${payload}`).digest();
}

function equal(expected: Buffer, given: Buffer): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given);
}

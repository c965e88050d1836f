import { createHmac, timingSafeEqual } from "node:crypto";
import type { VerifyDelivery } from "../ingress.ts";

const prefix = "sha256=";
const hexLength = 64;

/**
 * Checks `X-Hub-Signature-256` (HMAC-SHA256 of the raw body, hex). Ignores the old SHA-1 header.
 * Always tries every key, so that the time does not reveal which key matches.
 * Source: GitHub, "Validating webhook deliveries".
 */
export const verify: VerifyDelivery = ({ headers, body }, keys) => {
  const given = headers.get("x-hub-signature-256");
  if (!given?.startsWith(prefix)) return { ok: false, reason: "SignatureMissing" };
  const signature = decodeHex(given.slice(prefix.length));
  if (!signature) return { ok: false, reason: "SignatureMismatch" };
  const matches = keys.map((key) => timingSafeEqual(createHmac("sha256", key).update(body).digest(), signature));
  return matches.includes(true) ? { ok: true } : { ok: false, reason: "SignatureMismatch" };
};

function decodeHex(text: string): Buffer | undefined {
  return text.length === hexLength && /^[0-9a-f]+$/i.test(text) ? Buffer.from(text, "hex") : undefined;
}

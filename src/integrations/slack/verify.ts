import { createHmac, timingSafeEqual } from "node:crypto";
import type { VerifyDelivery } from "../ingress.ts";

const version = "v0";
const signatureForm = /^v0=([0-9a-f]{64})$/i;
const timeForm = /^[0-9]{1,12}$/;

/** Slack recommends this window against replays. */
const maxAgeMs = 5 * 60_000;

/**
 * Checks `X-Slack-Signature` (HMAC-SHA256 of `v0:{time}:{raw body}`, hex) with the time in `X-Slack-Request-Timestamp`, which must be within
 * five minutes of the receipt. Always tries every key, so that the time does not reveal which key matches.
 * Source: Slack, "Verifying requests from Slack".
 */
export const verify: VerifyDelivery = ({ headers, body, receivedAt }, keys) => {
  const given = headers.get("x-slack-signature");
  const time = headers.get("x-slack-request-timestamp");
  if (!given || !time) return { ok: false, reason: "SignatureMissing" };
  const hex = signatureForm.exec(given)?.[1];
  if (hex === undefined || !timeForm.test(time)) return { ok: false, reason: "SignatureMismatch" };
  const signature = Buffer.from(hex, "hex");
  const matches = keys.map((key) => timingSafeEqual(sign(key, time, body), signature));
  if (!matches.includes(true)) return { ok: false, reason: "SignatureMismatch" };
  const ageMs = receivedAt.getTime() - Number(time) * 1_000;
  return Math.abs(ageMs) <= maxAgeMs ? { ok: true } : { ok: false, reason: "Stale" };
};

function sign(key: Uint8Array, time: string, body: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`${version}:${time}:`).update(body).digest();
}

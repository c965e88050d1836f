import { createHmac } from "node:crypto";

/** Slack's signature of a request: `v0=` and HMAC-SHA256 of `v0:{timestamp}:{raw body}` in hex. Source: "Verifying requests from Slack". */
export function sign(secret: string, timestamp: string, body: string): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
}

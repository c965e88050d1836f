import type { WebhookSource } from "../types.ts";
import { deliveryId, normalise } from "./events.ts";
import { verify } from "./verify.ts";

/** GitHub sends nothing larger. Source: GitHub, "Webhook events and payloads", payload cap. */
const maxBodyBytes = 25 * 1024 * 1024;

/** Verifies and normalises GitHub's webhook deliveries. */
export const webhooks: WebhookSource = {
  maxBodyBytes,
  contentTypes: ["application/json"],
  verify,
  deliveryId,
  normalise,
};

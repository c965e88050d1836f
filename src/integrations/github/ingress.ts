import type { GitHubIntegration } from "../../api/github-integration.ts";
import type { Ingress } from "../ingress.ts";
import { deliveryId, normalise } from "./events.ts";
import { sharedHook } from "./scope.ts";
import { verify } from "./verify.ts";

/** GitHub sends nothing larger. Source: GitHub, "Webhook events and payloads", payload cap. */
const maxBodyBytes = 25 * 1024 * 1024;
/** GitHub waits 10 s, GitHub Enterprise Server 30 s. Source: GitHub, "Best practices for using webhooks". */
const answerWithinMs = 10_000;

/** The webhook side of GitHub: JSON, signed with a secret of ours. */
export const ingress: Ingress<GitHubIntegration> = {
  maxBodyBytes,
  contentTypes: ["application/json"],
  answerWithinMs,
  webhook: (integration) => ({
    ...integration.spec.webhook,
    acceptedKeysPath: "spec.webhook.acceptedKeysRef",
    manually: "the hook is managed manually (spec.webhook.install: Manual)",
    sharedBy: sharedHook(integration),
  }),
  verify,
  deliveryId,
  normalise,
};

import type { GitHubIntegration } from "../../api/kinds.ts";
import type { Provider } from "../types.ts";
import { connect } from "./connect.ts";
import { deliveryId, normalise } from "./events.ts";
import { covers, host, sharedHook } from "./scope.ts";
import { verify } from "./verify.ts";

/** GitHub sends nothing larger. Source: GitHub, "Webhook events and payloads", payload cap. */
const maxBodyBytes = 25 * 1024 * 1024;

/** GitHub and GitHub Enterprise Server. */
export const github: Provider<GitHubIntegration> = {
  name: "github",
  kind: "GitHubIntegration",
  host,
  covers,
  webhooks: { maxBodyBytes, contentTypes: ["application/json"], verify, deliveryId, normalise },
  sharedHook,
  connect,
};

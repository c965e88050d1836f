import type { GitHubIntegration } from "../../api/kinds.ts";
import type { Provider } from "../types.ts";
import { connect } from "./connect.ts";
import { covers, host, sharedHook } from "./scope.ts";
import { webhooks } from "./webhooks.ts";

/** GitHub and GitHub Enterprise Server. */
export const github: Provider<GitHubIntegration> = {
  name: "github",
  kind: "GitHubIntegration",
  host,
  covers,
  webhooks,
  sharedHook,
  connect,
};

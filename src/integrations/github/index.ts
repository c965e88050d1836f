import type { ProviderOf } from "../provider.ts";
import { connect } from "./connect.ts";
import { ingress } from "./ingress.ts";
import { covers, host } from "./scope.ts";

/** GitHub and GitHub Enterprise Server: a code host, and the threads of its issues and pull requests. */
export const github: ProviderOf<"github"> = {
  name: "github",
  kind: "GitHubIntegration",
  ingress,
  host,
  covers,
  connect,
};

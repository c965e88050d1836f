import type { ProviderOf } from "../provider.ts";
import { connect } from "./connect.ts";
import { ingress } from "./ingress.ts";
import { install } from "./install.ts";
import { channelOfConversation } from "./place.ts";
import { covers, host } from "./scope.ts";

/** Slack: a chat. Its changes go to the code host that `spec.codeHostRef` names. */
export const slack: ProviderOf<"slack"> = {
  name: "slack",
  kind: "SlackApp",
  ingress,
  host,
  covers,
  mappedRepositories: ({ spec }) => (spec.repositories ?? []).map(({ name, channels }) => ({ name, places: channels })),
  placeOf: channelOfConversation,
  install,
  connect,
};

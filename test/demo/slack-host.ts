import { SlackAppKind, type SlackApp } from "../../src/api/slack-app.ts";
import { slackAppFor } from "../integration/journey/world/slack.ts";
import type { MessageRef } from "../providers/slack/index.ts";
import type { AdminCaller } from "./outside.ts";
import { ours, type Place, type SlackPlace } from "./place.ts";

const channel = "shop";
/** With only one repository Bellhop would not ask for it. */
export const secondRepository = { repo: "acme/till", private: false, files: { "README.md": "# Till\n" } };

/** The team that Slack is connected to, and Slack's address. */
export interface SlackConnection extends Pick<Place, "kubectl" | "api" | "namespace" | "people" | "rest"> {
  /** Slack's address. */
  url: string;
  slack: AdminCaller;
}

/** Fills Slack with a workspace, connects it with a SlackApp in the team's namespace, and saves the request URL on the app's page. */
export async function connectSlack(given: SlackConnection): Promise<SlackPlace> {
  const { kubectl, api, namespace, slack, url } = given;
  // The question offers only public repositories to everybody who reads the channel.
  await given.people("setVisibility", { repo: "acme/shop", private: false });
  await given.people("createRepo", secondRepository);
  const { ana, token, signing } = await populateSlack(slack);
  const metadata = {
    name: "slack-app",
    annotations: { "bellhop.dev/allowed-for": `SlackApp/${new URL(url).host}` },
  };
  const secret = { apiVersion: "v1", kind: "Secret", metadata, stringData: { token, signing } };
  const account = await given.rest<{ id: number; login: string }>("/users/ana");
  const people = [{ id: ana, codeHost: { id: String(account.id), login: account.login } }];
  const spec = slackAppFor({ url, codeHost: "github", people });
  const { group, version, kind } = SlackAppKind;
  const app = { apiVersion: `${group}/${version}`, kind, metadata: { name: "slack" }, spec };
  const items = { apiVersion: "v1", kind: "List", items: [secret, app] };
  await kubectl(["apply", "-n", namespace, "-f", "-"], JSON.stringify(items));
  await kubectl(["wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", "slackapp/slack"]);
  const ready = await api<SlackApp>(`${ours(namespace, "slackapps")}/slack`);
  await slack.people("setRequestUrl", { url: ready?.status?.webhookURL ?? "" });
  if (!(await slack.people<boolean>("verifyUrl", {})))
    throw new Error(`Slack could not verify the request URL ${ready?.status?.webhookURL}`);
  return slackPlace(slack);
}

/** A workspace with ana, and with an app whose bot is in the channel. */
async function populateSlack({ people }: AdminCaller): Promise<{ ana: string; token: string; signing: string }> {
  await people("createTeam", { domain: "acme" });
  const ana = await people<{ id: string }>("createUser", { name: "ana" });
  const later = "https://example.com/later";
  const app = await people<{ signingSecret: string }>("createApp", {
    name: "bellhop",
    commands: { "/bellhop": later },
  });
  const { token } = await people<{ token: string }>("installApp", { by: "ana" });
  await people("createChannel", { name: channel, members: ["ana", "bellhop"] });
  return { ana: ana.id, token, signing: app.signingSecret };
}

function slackPlace({ people, remembered, fail }: AdminCaller): SlackPlace {
  return {
    fail: (method, failure, times) => fail({ method }, failure, times),
    calls: (method) => remembered(`/calls?method=${method}`),
    channel,
    people,
    messages: ({ channel: at, ts }: MessageRef, { as } = { as: "" }) =>
      remembered(`/messages?channel=${at}&thread=${ts}${as === "" ? "" : `&as=${as}`}`),
    deliveries: (type) => remembered(`/deliveries?type=${type}`),
    violations: () => remembered("/violations"),
  };
}

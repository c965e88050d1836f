import type { SlackApp } from "../../../src/api/slack-app.ts";
import type { Delivery } from "../../../src/integrations/ingress.ts";
import { slack as provider } from "../../../src/integrations/slack/index.ts";
import type { RunningSubject, Subject } from "../conformance.ts";
import { aTarget, startSlackSignedIn } from "./signed-in.ts";
import { deliveryOf } from "../deliveries.ts";
import { failing } from "./index.ts";
import { slackJudge } from "./judge.ts";
import { shownText } from "./see.ts";
import { client, startReceiver } from "./testing.ts";

/** Slack, signed in with a bot token, for the conformance suite. */
export async function startSubject(): Promise<RunningSubject> {
  const world = await startSlackSignedIn();
  const { slack, team } = world;
  const receiver = await startReceiver();
  await slack.people.setRequestUrl({ url: receiver.url });
  const integration: SlackApp = {
    ...world.integration(),
    status: { installations: [{ id: team, account: "acme" }] },
  };
  const message = await slack.person("ana").posts("shop", "hello");
  const connection = await world.connect({ integration });
  const ana = await connection.source.reread(aTarget(message, { team }), new AbortController().signal);
  const channel = { id: message.channel, type: "Public" } as const;
  const subject: Subject = {
    provider: provider,
    integration,
    connection,
    capabilities: ["thread"],
    host: new URL(slack.url).host,
    contentTypes: ["application/json", "application/x-www-form-urlencoded"],
    covered: { installationId: team, channel },
    foreign: [{ installationId: "T999", channel }, {}],
    allowed: { id: ana.found ? ana.actor.id : "", login: "ana" },
    unknown: { id: "U999", login: "nobody" },
    openThread: async () => aTarget(await slack.person("ana").posts("shop", "A subject"), { team }),
    request: (_mention, words) => `<@${world.bot}> ${words}`,
    shown: async ({ conversation }, id) => {
      const thread = conversation.split("/").at(-1) ?? "";
      const found = slack.messages("shop", { thread }).find(({ ts }) => ts === id);
      return found && shownText(found);
    },
    judge: slackJudge(world),
    sendRequest: async (words) => {
      await slack.person("ana").posts("shop", `<@${world.bot}> ${words}`);
      await slack.settled();
      const mention = receiver.received.findLast(({ payload }) => payload["event"]?.type === "app_mention");
      return { delivery: deliveryOf(mention), key: Buffer.from(slack.app().signingSecret) };
    },
    sendOthers: async () => {
      const newest = (): Delivery =>
        deliveryOf(receiver.received.findLast(({ payload }) => payload["event"]?.type === "message"));
      await client(slack).chat.postMessage({ channel: message.channel, text: `<@${world.bot}> say hello` });
      await slack.settled();
      const own = newest();
      await slack.person("ana").posts("shop", "say hello");
      await slack.settled();
      return { own, unmentioned: newest() };
    },
    connectAgain: () => world.connect({ integration }),
    connectWrongly: async () => {
      const secret = "xoxb-0-0-wrong";
      return { connection: await world.connect({ integration, token: secret }), secret };
    },
    failOnce: () => void slack.fail({}, failing.badGateway(), { times: 1 }),
  };
  return {
    subject,
    close: async () => {
      await world.close();
      await receiver.close();
    },
  };
}

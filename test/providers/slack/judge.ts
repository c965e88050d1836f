import { aFormDelivery } from "../../../src/integrations/slack/testing.ts";
import type { Judge } from "../conformance.ts";
import type { SlackSignedIn } from "./signed-in.ts";
import { actsIn } from "./acts.ts";

/** Reads messages and answers as Slack shows them. */
export function slackJudge({ slack }: SlackSignedIn): Judge {
  return {
    thread: ({ conversation }) => {
      const [, channel = "", thread = ""] = conversation.split("/");
      const ours = slack.messages(channel, { thread }).filter(({ author }) => author === "bellhop");
      return Promise.resolve(ours.map((message) => ({ id: message.ts, acts: actsIn(message) })));
    },
    toOnePerson: ({ conversation }) => {
      const [, channel = ""] = conversation.split("/");
      const newest = slack.messages(channel, { as: "ana" }).findLast(({ ephemeral }) => ephemeral);
      return newest ? actsIn(newest) : ["not shown"];
    },
    answer: {
      to: aFormDelivery({ command: "/bellhop", text: "fix it" }),
      acts: ({ body }) => {
        const { text = "", blocks = [] } = JSON.parse(body) as Partial<Parameters<typeof actsIn>[0]>;
        return actsIn({ text, blocks });
      },
    },
  };
}

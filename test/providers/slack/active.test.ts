import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatPostMessageArguments } from "@slack/web-api";
import { activeParts, startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { client, populate } from "./testing.ts";

let slack: SlackStandIn;
let channel: string;

beforeAll(async () => {
  slack = await startSlack({ plainHttp: true });
  await populate(slack);
  ({ channel } = await slack.person("ana").posts("shop", "hello"));
});
afterAll(() => slack.close());

/** The active parts of a message with this content, as `kind text`. */
async function active(content: object): Promise<string[]> {
  await client(slack).chat.postMessage({ channel, ...content } as ChatPostMessageArguments);
  const seen = slack.messages("shop").at(-1);
  return seen ? activeParts(seen).map(({ kind, text }) => `${kind} ${text}`) : [];
}

const section = (text: string, type = "mrkdwn"): object => ({ blocks: [{ type: "section", text: { type, text } }] });

describe("the active parts of a message", () => {
  it.each([
    { name: "a broadcast", content: { text: "<!channel> x" }, parts: ["mention <!channel>"] },
    { name: "a person", content: section("<@U012345678>"), parts: ["mention <@U012345678>"] },
    { name: "a group", content: section("<!subteam^S0123|devs>"), parts: ["mention <!subteam^S0123|devs>"] },
    { name: "a link with a label", content: section("<https://a.example|x>"), parts: ["link <https://a.example|x>"] },
    { name: "a bare address", content: { text: "see https://a.example/b" }, parts: ["link https://a.example/b"] },
    { name: "escaped text", content: { text: "&lt;!channel&gt; &lt;@U1&gt;" }, parts: [] },
    { name: "plain text", content: section("<!channel> https://a.example", "plain_text"), parts: [] },
    {
      name: "Markdown",
      content: { markdown_text: "![i](https://a.example/i.png)" },
      parts: expect.arrayContaining(["image ![i](https://a.example/i.png)"]),
    },
    {
      name: "a rich text element",
      content: {
        blocks: [
          {
            type: "rich_text",
            elements: [{ type: "rich_text_section", elements: [{ type: "broadcast", range: "here" }] }],
          },
        ],
      },
      parts: ['mention {"type":"broadcast","range":"here"}'],
    },
  ])("are found in $name", async ({ content, parts }) => {
    expect(await active(content)).toEqual(parts);
  });

  it("come from names too, if the app asks Slack to find them", async () => {
    expect(await active({ text: "@channel @ana @nobody" })).toEqual([]);
    const { id } = slack.installation().installedBy;
    expect(await active({ text: "@channel @ana @nobody", link_names: true })).toEqual([
      "mention <!channel>",
      `mention <@${id}>`,
    ]);
    expect(await active({ text: "@here", parse: "full" })).toEqual(["mention <!here>"]);
  });
});

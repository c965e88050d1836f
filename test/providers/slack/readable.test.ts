import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { client, populate } from "./testing.ts";

describe("a message as people read it", () => {
  let slack: SlackStandIn;
  beforeAll(async () => {
    slack = await startSlack();
    await populate(slack);
  });
  afterAll(() => slack.close());

  it("has names for mentions", async () => {
    const { ts } = await slack.person("ana").posts("shop", "<@bellhop> please ask <@ben>");
    expect(slack.messages("shop", { thread: ts })[0]?.shown).toBe("@bellhop please ask @ben");
  });

  it("has lines for lists, addresses of links, and brackets for menus and buttons", async () => {
    const text = (words: string): object => ({ type: "plain_text", text: words });
    const words = (given: string): object => ({ type: "text", text: given });
    const item = { type: "rich_text_section", elements: [words("one")] };
    const link = { type: "link", url: "https://github.com/a/b/pull/7", text: "PR #7" };
    const blocks = [
      {
        type: "rich_text",
        elements: [
          { type: "rich_text_section", elements: [words("See "), link] },
          { type: "rich_text_list", style: "bullet", indent: 0, elements: [item] },
        ],
      },
      {
        type: "section",
        text: text("Which?"),
        accessory: {
          type: "static_select",
          action_id: "pick",
          placeholder: text("Choose"),
          options: [
            { text: text("a/b"), value: "a/b" },
            { text: text("a/c"), value: "a/c" },
          ],
        },
      },
      { type: "actions", elements: [{ type: "button", action_id: "stop", text: text("Stop") }] },
    ];
    const { channel } = await slack.person("ana").posts("shop", "a question");
    const { ts = "" } = await client(slack).chat.postMessage({ channel, text: "a report", blocks });
    expect(slack.messages("shop", { thread: ts })[0]?.shown.split("\n")).toEqual([
      "See PR #7 (https://github.com/a/b/pull/7)",
      "• one",
      "Which?",
      "[Choose: a/b | a/c]",
      "[Stop]",
    ]);
  });
});

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needsFile } from "../../needs.ts";
import { contradictions } from "../github/testing.ts";
import { startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { eventFaults } from "./event-check.ts";
import { sign } from "./sign.ts";
import { client, populate, startReceiver } from "./testing.ts";
import type { Received, Receiver } from "./testing.ts";

const folder = new URL("../../../../shared/fixtures/slack/events/", import.meta.url);

const plain = (text: string) => ({ type: "plain_text" as const, text });
const enter = { trigger_actions_on: ["on_enter_pressed" as const] };

let slack: SlackStandIn;
let receiver: Receiver;

/** Produces every kind of payload once. */
beforeAll(async () => {
  receiver = await startReceiver();
  slack = await startSlack({ plainHttp: true });
  const { people } = slack;
  await people.createTeam({ domain: "grid", enterprise: "Sandbox Org" });
  await populate(slack, receiver.url);
  receiver.answer(({ payload }) => (payload["type"] === "block_suggestion" ? { body: { options: [] } } : {}));
  const ana = slack.person("ana");
  const asked = await ana.mentions("shop", "hello");
  const elements = [
    { type: "button", action_id: "a", text: { type: "plain_text", text: "Button" }, value: "v" },
    { type: "external_select", action_id: "es_a", placeholder: { type: "plain_text", text: "Select" } },
  ];
  const blocks = [{ type: "actions", block_id: "b", elements }];
  const { ts = "" } = await client(slack).chat.postMessage({ channel: asked.channel, text: "x", blocks });
  await ana.clicks({ channel: asked.channel, ts }, "a");
  const trigger_id = String(receiver.received.at(-1)?.payload["trigger_id"]);
  const view = {
    type: "modal" as const,
    callback_id: "c",
    title: plain("Title"),
    submit: plain("Go"),
    close: plain("No"),
  };
  const input = { type: "input" as const, block_id: "i", label: plain("Label") };
  const element = { type: "plain_text_input" as const, action_id: "t", dispatch_action_config: enter };
  const opened = await client(slack).views.open({ trigger_id, view: { ...view, blocks: [{ ...input, element }] } });
  await ana.submits(opened.view?.id ?? "", { i: { t: { type: "plain_text_input", value: "Hi there!" } } });
  await ana.types({ channel: asked.channel, ts }, "es_a", "word");
  await ana.edits(await ana.posts("shop", "original message"), "updated message");
  await people.webhookPosts({ as: "ana", channel: "shop", text: "x", username: "classic-bot" });
  await ana.command("shop", "/bellhop", "Hi");
  await people.verifyUrl({});
  await people.removeApp({});
});
afterAll(async () => {
  await slack.close();
  await receiver.close();
});

/** Payloads of Slack's own SDKs, with the fields that ours lack. */
const cases = [
  { file: "event_callback.app_mention.test_app.334.json", type: "app_mention", not: [] },
  // Events have had no `authed_users` since 2021.
  { file: "event_callback.app_mention.test_app_bot_only.119.json", type: "app_mention", not: [".authed_users"] },
  { file: "event_callback.message.test_message.208.json", type: "message", not: [] },
  { file: "event_callback.message.bot_message.test_message_bot.173.json", type: "bot_message", not: [] },
  { file: "event_callback.message.message_changed.test_message_changed.68.json", type: "message_changed", not: [] },
  { file: "event_callback.app_uninstalled.test_events.299.json", type: "app_uninstalled", not: [] },
  { file: "event_callback.tokens_revoked.test_events.315.json", type: "tokens_revoked", not: [] },
  { file: "url_verification.test_events_url_verification.69.json", type: "url_verification", not: [] },
  { file: "block_actions.test_block_actions.161.json", type: "block_actions", not: [] },
  // The example is of a select in a modal, and ours of one in a message.
  {
    file: "block_suggestion.test_block_suggestion.208.json",
    type: "block_suggestion",
    not: [".container.view_id", ".view"],
  },
  {
    file: "view_submission.test_view_submission.142.json",
    type: "view_submission",
    // A name that the author of the modal chose.
    not: [".view.state.values.zniAM"],
  },
  { file: "slash_command.form.txt", type: "/bellhop", not: [] },
];

describe("our payloads and those of Slack's SDKs", () => {
  it.each(cases)("have the same fields: $file", (given) => {
    expect(compare(given)).toEqual(given.not);
  });

  beforeEach((context) => needsFile(context, folder));

  it("are found different if a field is missing", () => {
    const [first] = cases;
    expect(first && compare({ ...first, type: "url_verification" })).toContain(".event");
  });

  it("have the common fields of Slack's schema, which the check misses if they are absent", () => {
    const [delivery] = slack.deliveries("app_mention");
    expect(slack.violations).toEqual([]);
    const { event_id: _, ...payload } = delivery?.payload ?? {};
    const faults = delivery ? eventFaults([{ ...delivery, payload }]) : [];
    expect(faults).toMatchObject([{ side: "event", message: "/ must have required property 'event_id'" }]);
    const renamed = delivery ? eventFaults([{ ...delivery, type: "app_sneezed" }]) : [];
    expect(renamed).toMatchObject([{ message: "is not an event of Slack" }]);
  });
});

it("signs Slack's own example as Slack does", () => {
  const body =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
  expect(sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body)).toBe(expected);
});

/** The fields that Slack's payload has and ours lacks, and those of another type. */
function compare({ file, type }: (typeof cases)[number]): string[] {
  const theirs = read(file);
  const ours = receiver.received.find((request) => typesOf(request).includes(type))?.payload;
  return [...lacking(theirs, ours, ""), ...contradictions(ours, theirs)];
}

function typesOf({ payload }: Received): unknown[] {
  return [payload["event"]?.subtype ?? payload["event"]?.type, payload["type"], payload["command"]];
}

function read(file: string): unknown {
  const text = readFileSync(new URL(file, folder), "utf8");
  return file.endsWith(".json") ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text.trim()));
}

function lacking(theirs: unknown, ours: unknown, path: string): string[] {
  if (Array.isArray(theirs)) return lacking(theirs[0], (ours as unknown[] | undefined)?.[0], `${path}[0]`);
  if (typeof theirs !== "object" || theirs === null) return [];
  const mine = (ours ?? {}) as Record<string, unknown>;
  return Object.entries(theirs).flatMap(([key, value]) =>
    key in mine ? lacking(value, mine[key], `${path}.${key}`) : [`${path}.${key}`],
  );
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/shared/fake-clock.ts";
import { startSlack } from "./index.ts";
import type { MessageRef, Person, SlackStandIn } from "./index.ts";
import { client, populate, signedWith, startReceiver } from "./testing.ts";
import type { Receiver } from "./testing.ts";

let slack: SlackStandIn;
let receiver: Receiver;
let clock: FakeClock;
let ana: Person;
let message: MessageRef;

const button = { type: "button", action_id: "stop", text: { type: "plain_text", text: "Stop" }, value: "task-a" };
const select = { type: "external_select", action_id: "repo", placeholder: { type: "plain_text", text: "Repository" } };
const blocks = [{ type: "actions", block_id: "controls", elements: [button, select] }];
const option = { text: { type: "plain_text", text: "acme/shop" }, value: "acme/shop" };

beforeEach(async () => {
  clock = new FakeClock("2026-03-01T12:00:00Z");
  receiver = await startReceiver();
  slack = await startSlack({ plainHttp: true, clock });
  await populate(slack, receiver.url);
  ana = slack.person("ana");
  const { channel, ts: thread } = await ana.posts("shop", "a question");
  const posted = await client(slack).chat.postMessage({ channel, thread_ts: thread, text: "x", blocks });
  message = { channel, ts: posted.ts ?? "" };
  await slack.settled();
  receiver.received.length = 0;
});
afterEach(async () => {
  slack.assertClean();
  await slack.close();
  await receiver.close();
});

describe("an interaction with a message", () => {
  it("sends a click as block_actions in a signed form", async () => {
    expect(await ana.clicks(message, "stop")).toEqual({ status: 200, answer: undefined });
    const [request] = receiver.received;
    expect(request?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(request && signedWith(slack.app().signingSecret, request)).toBe(true);
    expect(request?.payload).toMatchObject({
      type: "block_actions",
      user: { name: "ana" },
      container: { type: "message", message_ts: message.ts, channel_id: message.channel, is_ephemeral: false },
      actions: [{ type: "button", action_id: "stop", block_id: "controls", value: "task-a" }],
      message: { ts: message.ts },
    });
  });

  it("is not repeated, even if the app fails", async () => {
    receiver.answer({ status: 500 });
    expect(await ana.clicks(message, "stop")).toEqual({ status: 500, answer: undefined });
    await clock.advance(600_000);
    expect(receiver.received).toHaveLength(1);
  });

  it("sends a query as block_suggestion, returns the options, and sends the choice", async () => {
    receiver.answer(({ payload }) => (payload["type"] === "block_suggestion" ? { body: { options: [option] } } : {}));
    const options = await ana.types(message, "repo", "sho");
    expect(receiver.received[0]?.payload).toMatchObject({ type: "block_suggestion", value: "sho", action_id: "repo" });
    await ana.picks(message, "repo", options[0] ?? "");
    expect(receiver.received[1]?.payload).toMatchObject({ actions: [{ selected_option: { value: "acme/shop" } }] });
  });

  it.each([
    { name: "more than 100 options", options: Array.from({ length: 101 }, () => option) },
    {
      name: "a text of more than 75 characters",
      options: [{ ...option, text: { type: "plain_text", text: "x".repeat(76) } }],
    },
  ])("reports $name, which Slack does not show", async ({ options }) => {
    receiver.answer({ body: { options } });
    await expect(ana.types(message, "repo", "")).rejects.toThrow("Slack refuses these options");
  });

  it("is possible on an ephemeral message only for the person who sees it, and carries no content", async () => {
    const user = slack.installation().installedBy.id;
    await client(slack).chat.postEphemeral({ channel: message.channel, user, text: "choose", blocks });
    const seen = slack.messages("shop", { as: "ana" }).at(-1);
    const ref = { channel: message.channel, ts: seen?.ts ?? "" };
    await ana.clicks(ref, "stop");
    expect(receiver.received[0]?.payload).toMatchObject({ container: { is_ephemeral: true } });
    expect(receiver.received[0]?.payload).not.toHaveProperty("message");
    await expect(slack.person("ben").clicks(ref, "stop")).rejects.toThrow("there is no message");
  });

  it("asks for options only at an options load URL, as Slack does", async () => {
    slack.app().optionsUrl = "";
    await expect(ana.types(message, "repo", "")).rejects.toThrow("has no options load URL");
  });

  it("is gone with an ephemeral message when the client loads again", async () => {
    const user = slack.installation().installedBy.id;
    await client(slack).chat.postEphemeral({ channel: message.channel, user, text: "choose", blocks });
    expect(slack.messages("shop", { as: "ana" }).at(-1)?.ephemeral).toBe(true);
    await ana.reloads();
    expect(slack.messages("shop", { as: "ana" }).some(({ ephemeral }) => ephemeral)).toBe(false);
  });

  it("needs a thread with replies to show an ephemeral message there", async () => {
    const user = slack.installation().installedBy.id;
    const seen = (): boolean => slack.messages("shop", { as: "ana" }).some(({ ephemeral }) => ephemeral);
    const { channel, ts } = await ana.posts("shop", "nobody answers");
    const web = client(slack);
    await web.chat.postEphemeral({ channel, user, thread_ts: ts, text: "choose" });
    expect(seen()).toBe(false);
    await web.chat.postMessage({ channel, thread_ts: ts, text: "an answer" });
    expect(seen()).toBe(true);
  });

  it("has a menu with options of its own or with those of the app, and not both", async () => {
    const wrong = [{ type: "actions", elements: [{ ...select, options: [option], min_query_length: 0.5 }] }];
    const { channel } = message;
    await expect(client(slack).chat.postMessage({ channel, text: "x", blocks: wrong })).rejects.toMatchObject({
      data: {
        error: "invalid_blocks",
        errors: [
          expect.stringContaining("invalid additional property: options"),
          expect.stringContaining("min_query_length"),
        ],
      },
    });
  });

  it("sends a message shortcut as message_action", async () => {
    const said = await ana.posts("shop", "broken login");
    await ana.shortcut(said, "start");
    expect(receiver.received.at(-1)?.payload).toMatchObject({
      type: "message_action",
      callback_id: "start",
      message: { text: "broken login" },
    });
  });

  it("opens a modal with its trigger, within 3 seconds", async () => {
    await ana.clicks(message, "stop");
    await ana.clicks(message, "stop");
    const [first, second] = receiver.received.map(({ payload }) => String(payload["trigger_id"]));
    const view = { type: "modal" as const, title: { type: "plain_text" as const, text: "Title" }, blocks: [] };
    const web = client(slack);
    expect((await web.views.open({ trigger_id: first ?? "", view })).view).toMatchObject({ type: "modal" });
    await expect(web.views.open({ trigger_id: first ?? "", view })).rejects.toThrow("invalid_trigger_id");
    await clock.advance(3_001);
    await expect(web.views.open({ trigger_id: second ?? "", view })).rejects.toThrow("expired_trigger_id");
  });
});

describe("a modal", () => {
  const title = { type: "plain_text" as const, text: "Title" };

  it("is submitted with its values, and stays open if the app reports errors", async () => {
    await ana.clicks(message, "stop");
    const trigger_id = String(receiver.received[0]?.payload["trigger_id"]);
    const view = { type: "modal" as const, title, blocks: [], callback_id: "pick", private_metadata: "m" };
    const id = (await client(slack).views.open({ trigger_id, view })).view?.id ?? "";
    const values = { b: { a: { type: "plain_text_input", value: "v" } } };
    receiver.answer({ body: { response_action: "errors", errors: { b: "no" } } });
    expect(await ana.submits(id, values)).toMatchObject({ answer: { response_action: "errors" } });
    receiver.answer({});
    await ana.submits(id, values);
    expect(receiver.received.at(-1)?.payload).toMatchObject({
      type: "view_submission",
      view: { id, callback_id: "pick", private_metadata: "m", state: { values } },
    });
    await expect(ana.submits(id, values)).rejects.toThrow("there is no open modal");
  });
});

describe("a slash command", () => {
  it("is a signed form, and its answer is posted for the person", async () => {
    receiver.answer({ body: { text: "usage: …" }, headers: { "content-type": "application/json" } });
    expect(await ana.command("shop", "/bellhop", "help")).toMatchObject({ status: 200, answer: { text: "usage: …" } });
    const [request] = receiver.received;
    expect(request?.payload).toMatchObject({
      command: "/bellhop",
      text: "help",
      user_name: "ana",
      channel_name: "shop",
    });
    expect(request && signedWith(slack.app().signingSecret, request)).toBe(true);
    expect(slack.messages("shop", { as: "ana" }).at(-1)).toMatchObject({ text: "usage: …", ephemeral: true });
    expect(slack.messages("shop").at(-1)?.text).not.toBe("usage: …");
  });

  it("gets a check of its certificate", async () => {
    expect(await slack.people.sslCheck({ command: "/bellhop" })).toBe(200);
    expect(receiver.received[0]?.payload).toMatchObject({ ssl_check: "1" });
  });
});

describe("a response URL", () => {
  const post = (url: unknown, body: object): Promise<Response> =>
    fetch(String(url), { method: "POST", body: JSON.stringify(body) });

  it("replaces the message, deletes it, or posts a new one", async () => {
    await ana.clicks(message, "stop");
    const url = receiver.received[0]?.payload["response_url"];
    await post(url, { replace_original: true, text: "stopped" });
    expect(slack.messages("shop").at(-1)).toMatchObject({ ts: message.ts, text: "stopped", edited: true });
    await post(url, { response_type: "in_channel", text: "everybody" });
    expect(slack.messages("shop").at(-1)?.text).toBe("everybody");
    await post(url, { delete_original: true });
    expect(slack.messages("shop").map(({ ts }) => ts)).not.toContain(message.ts);
  });

  it("works five times", async () => {
    await ana.command("shop", "/bellhop");
    const url = receiver.received[0]?.payload["response_url"];
    const statuses: number[] = [];
    for (let use = 0; use < 6; use++) statuses.push((await post(url, { text: `${use}` })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 404]);
  });

  it("works for 30 minutes", async () => {
    await ana.command("shop", "/bellhop");
    const url = receiver.received[0]?.payload["response_url"];
    await clock.advance(30 * 60_000 + 1);
    const late = await post(url, { text: "late" });
    expect([late.status, await late.json()]).toEqual([404, { ok: false, error: "expired_url" }]);
  });
});

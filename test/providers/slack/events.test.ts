import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/shared/fake-clock.ts";
import { startSlack } from "./index.ts";
import type { Person, SlackStandIn } from "./index.ts";
import { client, populate, signedWith, startReceiver } from "./testing.ts";
import type { Received, Receiver } from "./testing.ts";

let slack: SlackStandIn;
let receiver: Receiver;
let clock: FakeClock;
let ana: Person;
let bot: string;

beforeEach(async () => {
  clock = new FakeClock("2026-03-01T12:00:00Z");
  receiver = await startReceiver();
  slack = await startSlack({ plainHttp: true, clock });
  ({ bot } = await populate(slack, receiver.url));
  ana = slack.person("ana");
});
afterEach(async () => {
  slack.assertClean();
  await slack.close();
  await receiver.close();
});

describe("the events of a message", () => {
  it("are app_mention and message for one mention: two events of one channel and ts, both signed", async () => {
    const { ts, channel } = await ana.mentions("shop", "please fix the login");
    expect(receiver.received).toHaveLength(2);
    const [mention, message] = receiver.received.map(({ payload }) => payload);
    expect(mention?.["event"]).toMatchObject({
      type: "app_mention",
      channel,
      ts,
      text: `<@${bot}> please fix the login`,
    });
    expect(message?.["event"]).toMatchObject({ type: "message", channel, ts, channel_type: "channel" });
    expect(mention?.["event_id"]).not.toBe(message?.["event_id"]);
    const { signingSecret, id } = slack.app();
    expect(receiver.received.every((request) => signedWith(signingSecret, request))).toBe(true);
    expect(receiver.received.some((request) => signedWith("another secret", request))).toBe(false);
    expect(mention).toMatchObject({ type: "event_callback", api_app_id: id, authorizations: [{ user_id: bot }] });
    expect(receiver.received[0]?.headers["x-slack-retry-num"]).toBeUndefined();
  });

  it("can be repeated: the same event id and body, with a signature of its own", async () => {
    await ana.mentions("shop", "please fix the login");
    await clock.advance(5_000);
    const [first] = slack.deliveries("app_mention");
    expect(await slack.people.repeatDelivery({ id: first?.id ?? "" })).toBe(200);
    const [sent, , again] = receiver.received;
    expect(again?.body).toBe(sent?.body);
    expect(again?.headers["x-slack-signature"]).not.toBe(sent?.headers["x-slack-signature"]);
    expect(signedWith(slack.app().signingSecret, again as Received)).toBe(true);
  });

  it("carry the thread of a reply", async () => {
    const first = await ana.posts("shop", "a question");
    await ana.mentions("shop", "look", { thread: first });
    expect(receiver.events("app_mention")).toMatchObject([{ thread_ts: first.ts, parent_user_id: expect.any(String) }]);
  });

  it("are sent for private channels and direct messages by their own types, and not for channels without the bot", async () => {
    const direct = await slack.people.openDirectMessage({ members: ["ana", "bellhop"] });
    const group = await slack.people.openDirectMessage({ members: ["ana", "ben", "bellhop"] });
    await ana.posts("secret", "one");
    await ana.posts(direct.id, "two");
    await ana.posts(group.id, "three");
    await slack.person("ben").posts("elsewhere", "<@bellhop> four");
    expect(receiver.events("message").map(({ channel_type, text }) => [channel_type, text])).toEqual([
      ["group", "one"],
      ["im", "two"],
      ["mpim", "three"],
    ]);
    expect(receiver.events("app_mention")).toEqual([]);
  });

  it("are not app_mention in a direct message", async () => {
    const direct = await slack.people.openDirectMessage({ members: ["ana", "bellhop"] });
    await ana.mentions(direct.id, "hello");
    expect(receiver.events("app_mention")).toEqual([]);
    expect(receiver.events("message")).toHaveLength(1);
  });

  it("include the bot's own messages, with its bot_id", async () => {
    const channel = slack.messages("shop").at(-1)?.channel ?? (await ana.posts("shop", "x")).channel;
    await client(slack).chat.postMessage({ channel, text: "mine" });
    await slack.settled();
    expect(receiver.events("message").at(-1)).toMatchObject({ text: "mine", user: bot, bot_id: expect.any(String) });
  });

  it("show the bot_id of another app's bot, and of an incoming webhook without an account", async () => {
    const { people } = slack;
    await people.createApp({ name: "other" });
    const { token, bot: other } = await people.installApp({ app: "other", by: "ana" });
    const channel = (await ana.posts("shop", "x")).channel;
    await people.invite({ channel, members: ["other"] });
    await client(slack, token).chat.postMessage({ channel, text: `<@${bot}> hello` });
    await people.webhookPosts({ as: "ana", channel, text: "<@bellhop> hello", username: "alerts" });
    const [mention, fromWebhook] = receiver.events("app_mention");
    expect(mention).toMatchObject({ user: other.id, bot_id: other.bot?.id });
    expect(fromWebhook).toMatchObject({ subtype: "bot_message", bot_id: expect.any(String), username: "alerts" });
    expect(fromWebhook).not.toHaveProperty("user");
  });

  it("are message_changed for an edit, and message_deleted for a deletion", async () => {
    const message = await ana.posts("shop", "helo");
    await ana.edits(message, `<@${bot}> hello`);
    await ana.deletes(message);
    expect(receiver.events("app_mention")).toEqual([]);
    const [, changed, deleted] = receiver.events("message");
    expect(changed).toMatchObject({
      subtype: "message_changed",
      message: { text: `<@${bot}> hello`, ts: message.ts, edited: {} },
      previous_message: { text: "helo" },
    });
    expect(deleted).toMatchObject({ subtype: "message_deleted", deleted_ts: message.ts });
  });

  it("reach each app once, and only apps that subscribe", async () => {
    await slack.people.createApp({ name: "other", eventsUrl: `${receiver.url}/other`, events: ["app_mention"] });
    await slack.people.createApp({ name: "reader", eventsUrl: `${receiver.url}/reader`, events: ["message.channels"] });
    for (const app of ["other", "reader"]) await slack.people.installApp({ app, by: "ana" });
    await slack.people.invite({ channel: "shop", members: ["other", "reader"] });
    await ana.posts("shop", "<@other> and <@reader> and <@bellhop>");
    const paths = receiver.received.map(({ path, payload }) => [path, payload["event"].type]);
    expect(new Set(paths.map(String))).toEqual(
      new Set(["/slack,app_mention", "/slack,message", "/slack/other,app_mention", "/slack/reader,message"]),
    );
    expect(paths).toHaveLength(4);
  });
});

describe("a channel that another workspace shares", () => {
  it("sends the stranger's messages with the stranger's workspace, marked as external", async () => {
    const { people } = slack;
    await people.createTeam({ domain: "partner" });
    const sam = await people.createUser({ name: "sam", team: "partner" });
    await people.createChannel({ name: "joint", members: ["ana", "sam", "bellhop"], sharedWith: ["partner"] });
    await slack.person("sam").mentions("joint", "hello");
    expect(receiver.received[0]?.payload).toMatchObject({
      team_id: slack.installation().team.id,
      is_ext_shared_channel: true,
      event: { type: "app_mention", user: sam.id, team: sam.team.id, user_team: sam.team.id },
    });
    const channel = receiver.events("app_mention")[0]?.["channel"] as string;
    const blocks = [
      { type: "actions", elements: [{ type: "button", action_id: "a", text: { type: "plain_text", text: "A" } }] },
    ];
    const { ts = "" } = await client(slack).chat.postMessage({ channel, text: "x", blocks });
    await slack.person("sam").clicks({ channel, ts }, "a");
    const { payload } = receiver.received.at(-1) ?? {};
    expect(payload).toMatchObject({ type: "block_actions", user: { id: sam.id, team_id: sam.team.id } });
    const answer = { method: "POST", body: JSON.stringify({ text: "seen" }) };
    expect((await fetch(String(payload?.["response_url"]), answer)).status).toBe(200);
    await expect(slack.person("sam").command("joint", "/bellhop")).rejects.toThrow("no app bellhop in partner");
  });
});

describe("retries", () => {
  /** The retry headers of all requests that arrived. */
  const retries = (): (string | undefined)[][] =>
    receiver.received.map(({ headers }) => [
      headers["x-slack-retry-num"] as string | undefined,
      headers["x-slack-retry-reason"] as string | undefined,
    ]);

  it("repeat an event at once, after one minute and after five, with the same event_id and a new signature", async () => {
    receiver.answer({ status: 500 });
    await ana.posts("shop", "hello");
    await expect.poll(() => retries().length).toBe(2);
    await slack.settled();
    await clock.advance(60_000);
    await expect.poll(() => retries().length).toBe(3);
    await slack.settled();
    await clock.advance(299_000);
    expect(retries()).toHaveLength(3);
    await clock.advance(1_000);
    await expect.poll(() => retries().length).toBe(4);
    expect(retries()).toEqual([
      [undefined, undefined],
      ["1", "http_error"],
      ["2", "http_error"],
      ["3", "http_error"],
    ]);
    expect(new Set(receiver.received.map(({ payload }) => payload["event_id"])).size).toBe(1);
    expect(receiver.received.every((request) => signedWith(slack.app().signingSecret, request))).toBe(true);
    await expect.poll(() => slack.deliveries("message")[0]?.done).toBe(true);
  });

  it("end after a success", async () => {
    let status = 503;
    receiver.answer(() => ({ status }));
    await ana.posts("shop", "hello");
    await expect.poll(() => retries().length).toBe(2);
    status = 200;
    await slack.settled();
    await clock.advance(60_000);
    await expect.poll(() => slack.deliveries("message")[0]?.done).toBe(true);
    expect(retries()).toHaveLength(3);
  });

  it("do not happen if the app answers X-Slack-No-Retry", async () => {
    receiver.answer({ status: 404, headers: { "x-slack-no-retry": "1" } });
    await ana.posts("shop", "hello");
    await expect.poll(() => slack.deliveries("message")[0]?.done).toBe(true);
    expect(retries()).toHaveLength(1);
  });

  it("name a missing answer after 3 seconds", async () => {
    receiver.answer("hang");
    const posting = ana.posts("shop", "hello");
    await expect.poll(() => receiver.received.length).toBe(1);
    receiver.answer({});
    await clock.advance(3_000);
    await posting;
    await expect.poll(() => retries().at(-1)).toEqual(["1", "http_timeout"]);
  });
});

describe("the installation", () => {
  it("sends url_verification and sees whether the challenge comes back", async () => {
    expect(await slack.people.verifyUrl({})).toBe(false);
    receiver.answer(({ payload }) => ({ body: { challenge: payload["challenge"] } }));
    expect(await slack.people.verifyUrl({})).toBe(true);
    receiver.answer(({ payload }) => ({ body: String(payload["challenge"]) }));
    expect(await slack.people.verifyUrl({})).toBe(true);
  });

  it("sends app_rate_limited for the current minute", async () => {
    expect(await slack.people.rateLimitEvents({})).toBe(200);
    const limited = { type: "app_rate_limited", minute_rate_limited: Date.parse("2026-03-01T12:00:00Z") / 1000 };
    expect(receiver.received.at(-1)?.payload).toMatchObject(limited);
  });

  it("sends tokens_revoked and refuses the token", async () => {
    const web = client(slack);
    await slack.people.revokeToken({});
    expect(receiver.events("tokens_revoked")).toMatchObject([{ tokens: { bot: [bot] } }]);
    await expect(web.auth.test()).rejects.toMatchObject({ data: { error: "token_revoked" } });
  });

  it("sends app_uninstalled and refuses the token of a removed app", async () => {
    const web = client(slack);
    await slack.people.removeApp({});
    expect(receiver.events("app_uninstalled")).toHaveLength(1);
    await expect(web.auth.test()).rejects.toMatchObject({ data: { error: "account_inactive" } });
    await expect(ana.command("shop", "/bellhop")).rejects.toThrow("there is no app bellhop in acme");
    await ana.posts("shop", "is anybody there?");
    expect(receiver.events("message")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { deliveryId, normalise } from "./events.ts";
import { aContext, aFormDelivery, anEventDelivery, anInteractionDelivery, eventOf } from "./testing.ts";

const authorizations = [{ team_id: "T1", enterprise_id: null, user_id: "UBOT", is_bot: true }];
const base = { type: "message", channel: "C1", channel_type: "channel", user: "U1", ts: "1767355200.000100" };

/** A delivery of one event, with changes to the payload around it. */
function deliver(event: object, around: object = {}) {
  return anEventDelivery({ type: "event_callback", team_id: "T1", event_id: "Ev1", authorizations, event, ...around });
}
const aMessage = (changes: object) => deliver({ ...base, ...changes });
const aMention = (changes: object = {}) =>
  deliver({ ...base, channel_type: undefined, type: "app_mention", text: "<@UBOT> fix it", ...changes });
const secret = "the secret plan";

describe("normalise, with mentions", () => {
  it("converts a mention to an event", () => {
    expect(normalise(aMention(), aContext())).toMatchObject({ outcome: "event", body: { event_id: "Ev1" } });
    expect(eventOf(aMention())).toEqual({
      provider: "slack",
      instance: "T1",
      installationId: "T1",
      event: "app_mention",
      deliveryId: "Ev1",
      cause: "slack/T1/C1/1767355200.000100",
      subject: { type: "Thread", key: "slack C1/1767355200.000100", title: "fix it" },
      object: { type: "Message", id: "C1/1767355200.000100" },
      conversation: "T1/C1/1767355200.000100",
      channel: { id: "C1", type: "Private" },
      actor: { id: "U1", login: "U1", isBot: false },
      occurredAt: new Date("2026-01-02T12:00:00.000Z"),
      text: "<@UBOT> fix it",
      visibleText: "fix it",
      signals: [{ kind: "mention", words: "fix it" }],
    });
  });

  it("gives the same event for the message that comes with the mention", () => {
    const { channel, ...event } = eventOf(aMessage({ text: "<@UBOT> fix it" }));
    expect(channel).toEqual({ id: "C1", type: "Public" });
    expect({ ...event, channel: { id: "C1", type: "Private" } }).toEqual(eventOf(aMention()));
  });

  it("puts a mention in a thread into the conversation of the thread", () => {
    expect(eventOf(aMention({ thread_ts: "1767350000.000001" }))).toMatchObject({
      conversation: "T1/C1/1767350000.000001",
      cause: "slack/T1/C1/1767355200.000100",
      subject: { key: "slack C1/1767350000.000001" },
    });
  });

  it.each([
    ["a command", "<@UBOT> stop", "stop"],
    ["a colon after the mention", "<@UBOT|bellhop>: stop", "stop"],
    ["text before the mention", "hey <@UBOT>, approve 1a2b3c4", "approve 1a2b3c4"],
    ["a mention after a quote", "&gt; <@UBOT> stop\n<@UBOT> retry", "retry"],
    ["escaped characters", "<@UBOT> use a &lt;b&gt; &amp; c", "use a <b> & c"],
    ["invisible characters", "<@UBOT> st\u200bop\u{e0041}", "stop"],
    ["a space that does not break", "<@UBOT>\u00a0stop", "stop"],
  ])("reads the words after the mention from a text with %s", (_, text, words) => {
    expect(eventOf(aMention({ text })).signals).toEqual([{ kind: "mention", words }]);
  });

  it("shows the text as a reader sees it, and carries the raw text beside it", () => {
    const text = "<@UBOT> see <https://x.example|the page> in <#C2|shop> with <@U2> &amp; <!channel>\u200b";
    expect(eventOf(aMention({ text }))).toMatchObject({
      text,
      visibleText: "see [the page](https://x.example) in #shop with @U2 & @channel",
    });
  });

  it("names the author if the payload does", () => {
    const event = eventOf(aMessage({ text: "<@UBOT> go", user_profile: { name: "ada" } }));
    expect(event.actor).toEqual({ id: "U1", login: "ada", isBot: false });
  });

  it("recognises every id of the bot, because an organisation has one in each workspace", () => {
    const text = "<@UOTHER> go";
    const named = [{ ...authorizations[0], user_id: "UOTHER" }];
    expect(normalise(aMention({ text }), aContext())).toMatchObject({ reason: "NotMentioned" });
    const event = { ...base, type: "app_mention", text };
    expect(eventOf(deliver(event, { authorizations: named })).signals).toEqual([{ kind: "mention", words: "go" }]);
    expect(eventOf(deliver({ ...base, text: "<@UBOT> go" }, { authorizations: undefined })).visibleText).toBe("go");
  });

  it("asks to retry a mention while the bot user is not known", () => {
    const mention = deliver({ ...base, type: "app_mention", text: "<@UBOT> go" }, { authorizations: undefined });
    expect(normalise(mention, aContext({ bot: undefined }))).toMatchObject({ reason: "BotUnknown", again: true });
  });

  it("does not read a mention in a quote", () => {
    for (const text of ["&gt; <@UBOT> stop\nwell", "&gt;&gt;&gt; a\n<@UBOT> stop"])
      expect(normalise(aMention({ text }), aContext())).toMatchObject({ outcome: "ignored", reason: "NotMentioned" });
  });
});

describe("normalise, with messages", () => {
  it("drops a message that does not mention the bot, with nothing of it in the answer", () => {
    for (const channel_type of ["channel", "group", "mpim"]) {
      const found = normalise(aMessage({ channel_type, text: `${secret} <@U2>` }), aContext());
      expect(found).toEqual({
        outcome: "ignored",
        reason: "NotMentioned",
        message: "The message is not addressed to the bot.",
        private: true,
      });
    }
  });

  it.each(["1767355200.000100", undefined])("reads a direct message without a mention (thread %s)", (thread_ts) => {
    const event = eventOf(aMessage({ channel: "D1", channel_type: "im", text: "stop", thread_ts }));
    expect(event).toMatchObject({
      event: "message",
      channel: { id: "D1", type: "Direct" },
      conversation: "T1/D1/1767355200.000100",
      signals: [{ kind: "directMessage", words: "stop" }],
    });
  });

  it("reads the words after a mention in a direct message", () => {
    const event = eventOf(aMessage({ channel: "D1", channel_type: "im", text: "<@UBOT> stop" }));
    expect(event).toMatchObject({ visibleText: "stop", signals: [{ kind: "directMessage", words: "stop" }] });
  });

  it("reads a message with a file, and one that a thread also shows in its channel", () => {
    for (const subtype of ["file_share", "thread_broadcast"])
      expect(eventOf(aMessage({ subtype, text: "<@UBOT> fix it" })).signals).toHaveLength(1);
  });

  it("reads a follow-up without a mention only in a thread that the bot takes part in", () => {
    const live = aContext({ isLive: (conversation) => conversation === "T1/C1/1767350000.000001" });
    const followUp = aMessage({ text: "and the docs", thread_ts: "1767350000.000001" });
    expect(eventOf(followUp, live)).toMatchObject({
      event: "message",
      conversation: "T1/C1/1767350000.000001",
      signals: [{ kind: "mention", words: "and the docs", followUp: true }],
    });
    const mention = aMessage({ text: "<@UBOT> and the docs", thread_ts: "1767350000.000001" });
    expect(eventOf(mention, live).signals).toEqual([{ kind: "mention", words: "and the docs" }]);
    const elsewhere = aMessage({ text: secret, thread_ts: "1767350000.000002" });
    expect(normalise(elsewhere, live)).toMatchObject({ reason: "NotMentioned", private: true });
    const ownThread = aContext({ isLive: () => true });
    expect(normalise(aMessage({ text: secret }), ownThread)).toMatchObject({ reason: "NotMentioned" });
  });

  it("is one request if it mentions the bot of another workspace that shares the channel: it arrives for that workspace as well", () => {
    const both = aContext({
      installations: [
        { id: "T1", account: "acme", botId: "UBOT" },
        { id: "T2", account: "globex", botId: "UBOT2" },
      ],
    });
    const asSeenBy = (team_id: string, user_id: string) =>
      normalise(
        deliver({ ...base, text: "<@UBOT> fix it" }, { authorizations: [{ team_id, user_id, is_bot: true }] }),
        both,
      );
    expect(asSeenBy("T1", "UBOT")).toMatchObject({ outcome: "event" });
    expect(asSeenBy("T2", "UBOT2")).toMatchObject({ outcome: "ignored", reason: "NotMentioned" });
  });

  it("belongs to the workspace in which the bot was called, if workspaces share the channel and Slack delivers for another one", () => {
    const live = aContext({
      isLive: (conversation) => conversation === "T2/C1/1767350000.000001",
      installations: [
        { id: "T1", account: "acme" },
        { id: "T2", account: "globex" },
      ],
    });
    const followUp = aMessage({ text: "and the docs", thread_ts: "1767350000.000001" });
    expect(eventOf(followUp, live)).toMatchObject({
      instance: "T2",
      installationId: "T2",
      conversation: "T2/C1/1767350000.000001",
      cause: expect.stringMatching(/^slack\/T2\/C1\//) as string,
    });
  });

  it.each([
    ["an edited message", { subtype: "message_changed", message: { text: "<@UBOT> stop" } }, "Edited"],
    ["a mention that was edited in", { edited: { user: "U1", ts: "1767355201.000000" } }, "Edited"],
    ["a deletion", { subtype: "message_deleted" }, "Deleted"],
    ["a bot's message of the old form", { subtype: "bot_message", bot_id: "B1" }, "BotMessage"],
    ["a bot's message", { bot_id: "B1" }, "BotMessage"],
    ["a message without an author", { user: undefined }, "BotMessage"],
    ["a message of the bot itself", { user: "UBOT", bot_id: "B1" }, "OwnBot"],
    ["a subtype that people do not write", { subtype: "channel_join" }, "UnknownAction"],
    ["a subtype named like a part of JavaScript", { subtype: "constructor" }, "UnknownAction"],
  ])("ignores %s, privately", (_, changes, reason) => {
    const direct = { channel: "D1", channel_type: "im", text: `<@UBOT> ${secret}` };
    const found = normalise(aMessage({ ...direct, ...changes }), aContext());
    expect(found).toMatchObject({ outcome: "ignored", reason, private: true });
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  it("ignores mentions by bots and edited mentions", () => {
    expect(normalise(aMention({ bot_id: "B1" }), aContext())).toMatchObject({ reason: "BotMessage" });
    expect(normalise(aMention({ edited: { user: "U1" } }), aContext())).toMatchObject({ reason: "Edited" });
  });

  it.each([
    ["channel", "C1", "Public"],
    ["group", "C1", "Private"],
    ["group", "G1", "Private"],
    ["mpim", "G1", "Private"],
    [undefined, "C1", "Private"],
    [undefined, "D1", "Direct"],
  ])("takes a channel of type %s with the id %s as %s", (channel_type, id, type) => {
    const event = eventOf(aMessage({ channel: id, channel_type, text: "<@UBOT> go" }));
    expect(event.channel).toEqual({ id, type });
  });
});

describe("normalise, with workspaces", () => {
  const text = "<@UBOT> go";
  const inOrganisation = (team_id: string | null) => [
    { team_id, enterprise_id: "E1", user_id: "UBOT", is_bot: true, is_enterprise_install: true },
  ];
  it.each([
    ["the workspace that has the app, not the other side of a shared channel", { team_id: "T9" }, "T1", "T1"],
    ["the workspace of the payload without an authorisation", { authorizations: undefined }, "T1", "T1"],
    ["the organisation as the installation", { authorizations: inOrganisation("T1") }, "T1", "E1"],
    ["the workspace in an organisation", { authorizations: inOrganisation(null), team_id: "T2" }, "T2", "E1"],
    [
      "the organisation if there is no workspace",
      { authorizations: inOrganisation(null), team_id: undefined },
      "E1",
      "E1",
    ],
  ])("names %s", (_, around, instance, installationId) => {
    const event = eventOf(deliver({ ...base, text }, around));
    expect(event).toMatchObject({ instance, installationId, conversation: `${instance}/C1/1767355200.000100` });
  });

  it("refuses a payload without a workspace", () => {
    const nowhere = deliver({ ...base, text }, { team_id: undefined, authorizations: undefined });
    expect(normalise(nowhere, aContext())).toMatchObject({ outcome: "malformed", path: "team_id" });
  });
});

describe("normalise, with other requests", () => {
  it("answers the check of the URL with its challenge", () => {
    const found = normalise(anEventDelivery({ type: "url_verification", challenge: "c<1>", token: "t" }), aContext());
    expect(found).toMatchObject({ outcome: "handshake", reply: { status: 200, body: '{"challenge":"c<1>"}' } });
  });

  it("answers the check of TLS with an empty body", () => {
    const found = normalise(aFormDelivery({ ssl_check: "1", token: "t" }), aContext());
    expect(found).toEqual({ outcome: "handshake", reply: { status: 200, body: "" } });
  });

  it.each(["app_uninstalled", "tokens_revoked"])("needs no action for %s", (type) => {
    expect(normalise(deliver({ type }), aContext())).toEqual({
      outcome: "ignored",
      reason: "Notice",
      message: "No action required: the operator notices it at its next check.",
      installationId: "T1",
    });
  });

  it("says that Slack limits the deliveries, and of which workspace", () => {
    const limited = { type: "app_rate_limited", team_id: "T1", minute_rate_limited: 1518467820 };
    const found = normalise(anEventDelivery(limited), aContext());
    expect(found).toMatchObject({ outcome: "ignored", reason: "AppRateLimited", installationId: "T1" });
    expect(found).toHaveProperty("message", expect.stringContaining("workspace T1"));
  });

  it.each([
    ["an event", deliver({ type: "reaction_added" }), "Bellhop does not handle the event reaction_added."],
    ["a request", anEventDelivery({ type: "other" }), "Bellhop does not handle the type of request other."],
    ["a form", aFormDelivery({ a: "b" }), "Bellhop does not handle this form."],
  ])("ignores %s that it does not know, by name", (_, delivery, message) => {
    expect(normalise(delivery, aContext())).toMatchObject({ outcome: "ignored", reason: "UnknownEvent", message });
  });

  it.each([
    ["no JSON", anEventDelivery(`{"text": "${secret}`), "body"],
    ["a list", anEventDelivery("[]"), "body"],
    ["too many values", anEventDelivery(`{"type":"other","a":[${"1,".repeat(50_001)}1]}`), "body"],
    ["a message with an id that is none", aMessage({ channel: "C1/2", text: secret }), "channel"],
    ["a message with a time that is none", aMessage({ ts: "soon", text: secret }), "ts"],
    ["a text of another size than Slack's", aMessage({ text: secret.repeat(20_000) }), "text"],
    ["too many fields", aFormDelivery("a=1&".repeat(101)), "body"],
    ["an interaction that is a list", anInteractionDelivery("[]"), "payload"],
    ["an interaction that is no JSON", anInteractionDelivery(secret), "payload"],
    ["an interaction with too many values", anInteractionDelivery(`{"a":[${"1,".repeat(50_001)}1]}`), "payload"],
  ])("refuses %s, without quoting it", (_, delivery, path) => {
    const found = normalise(delivery, aContext());
    expect(found).toMatchObject({ outcome: "malformed", path });
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  it("leaves out a time that no calendar has", () => {
    expect(eventOf(aMention({ ts: "9999999999999999.1" }))).not.toHaveProperty("occurredAt");
  });
});

describe("deliveryId", () => {
  it("is the id of the event, or of the trigger of an interaction or command", () => {
    expect(deliveryId(aMention())).toBe("Ev1");
    expect(deliveryId(anInteractionDelivery({ trigger_id: "1.2.a" }))).toBe("1.2.a");
    expect(deliveryId(aFormDelivery({ command: "/bellhop", trigger_id: "1.2.b" }))).toBe("1.2.b");
  });

  it("is short, or absent from a body that has none", () => {
    expect(deliveryId(anEventDelivery({ event_id: "x".repeat(500) }))).toHaveLength(128);
    for (const body of ["{", "[]", '{"event_id":1}', '{"event_id":""}'])
      expect(deliveryId(anEventDelivery(body))).toBeUndefined();
  });
});

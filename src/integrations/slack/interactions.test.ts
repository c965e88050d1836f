import { describe, expect, it } from "vitest";
import { parseCommand } from "../../intake/parse-command.ts";
import { normalise } from "./events.ts";
import { placeOf } from "./place.ts";
import { aContext, aFormDelivery, anInteractionDelivery, eventOf, receivedAt } from "./testing.ts";

const messageTs = "1767350000.000001";
const shared = {
  team: { id: "T1", domain: "acme" },
  user: { id: "U1", username: "ada", name: "ada", team_id: "T1" },
  api_app_id: "A1",
  trigger_id: "1.2.a",
  channel: { id: "C1", name: "general" },
};
const aClick = (action: object, changes: object = {}) =>
  anInteractionDelivery({
    ...shared,
    type: "block_actions",
    container: { type: "message", message_ts: messageTs, channel_id: "C1" },
    message: { user: "UBOT", bot_id: "B1", app_id: "A1", ts: messageTs },
    actions: [{ action_ts: "1767355200.000100", type: "button", block_id: "b", ...action }],
    ...changes,
  });
const stop = { action_id: "bellhop/stop", value: "stop:slack-abc" };
const choice = {
  action_id: "bellhop/use",
  type: "external_select",
  block_id: "bellhop/use:slack-abc",
  selected_option: { value: "acme/shop" },
};
const aShortcut = (changes: object = {}) =>
  anInteractionDelivery({
    ...shared,
    type: "message_action",
    callback_id: "bellhop",
    action_ts: "1767355200.000100",
    message_ts: messageTs,
    message: { type: "message", user: "U2", text: "the build &amp; tests <@UBOT>", ts: messageTs },
    ...changes,
  });

describe("normalise, with buttons and menus", () => {
  it("converts a click on our button to an event with a command", () => {
    expect(eventOf(aClick(stop))).toEqual({
      provider: "slack",
      instance: "T1",
      installationId: "T1",
      event: "block_actions",
      action: "stop",
      deliveryId: "1.2.a",
      cause: `slack/action/T1/C1/${messageTs}/bellhop/stop/1767355200.000100`,
      subject: { type: "Thread", key: "#general" },
      object: { type: "Command", id: `C1/${messageTs}/bellhop/stop/1767355200.000100` },
      conversation: `T1/C1/${messageTs}`,
      channel: { id: "C1", type: "Private" },
      actor: { id: "U1", login: "ada", isBot: false },
      occurredAt: new Date("2026-01-02T12:00:00.000Z"),
      signals: [{ kind: "action", words: "stop", target: "slack-abc", message: messageTs }],
    });
  });

  it.each([
    ["retry", { action_id: "bellhop/retry", value: "retry:slack-abc" }, "retry"],
    ["approve", { action_id: "bellhop/approve", value: "approve:slack-abc" }, "approve"],
    ["use with the chosen repository", choice, "use acme/shop"],
    ["use of the button that asks for the menu", { action_id: "bellhop/choose", value: "choose:slack-abc" }, "use"],
  ])("reads the command %s, the task of the report, and the message", (_, action, words) => {
    const signal = { kind: "action", words, target: "slack-abc", message: messageTs };
    expect(eventOf(aClick(action)).signals).toEqual([signal]);
  });

  it("names no message that only one person sees, and begins no thread with it", () => {
    const container = { type: "message", message_ts: messageTs, channel_id: "C1", is_ephemeral: true };
    const event = eventOf(aClick(choice, { message: undefined, container }));
    expect(event.signals).toEqual([{ kind: "action", words: "use acme/shop", target: "slack-abc" }]);
    expect(event.conversation).toBe(`T1/C1/personal/${messageTs}`);
    expect(placeOf({ source: { ...event, provider: "slack" } as never, conversation: event.conversation })).toEqual({
      channel: "C1",
      thread: undefined,
    });
  });

  it("gives words that are commands", () => {
    for (const action of ["stop", "retry", "approve"]) {
      const [signal] = eventOf(aClick({ action_id: `bellhop/${action}`, value: `${action}:slack-abc` })).signals;
      expect(parseCommand(signal && "words" in signal ? signal.words : "")).toEqual({ command: action });
    }
  });

  it("puts a click in a thread into the conversation of the thread, also under a message that one person sees", () => {
    const thread_ts = "1767340000.000001";
    const inThread = { message: { user: "UBOT", app_id: "A1", ts: messageTs, thread_ts } };
    const ephemeral = { message: undefined, container: { message_ts: messageTs, thread_ts, is_ephemeral: true } };
    for (const changes of [inThread, ephemeral])
      expect(eventOf(aClick(choice, changes)).conversation).toBe(`T1/C1/${thread_ts}`);
  });

  it.each([
    ["a button of another name", { action_id: "stop" }, {}, "NotOurs"],
    ["a button in a message of another app", stop, { message: { app_id: "A2", user: "UBOT" } }, "NotOurs"],
    ["a button in a message of another user", stop, { message: { user: "U2" } }, "NotOurs"],
    ["a button in a view", stop, { container: { type: "view", view_id: "V1" }, message: undefined }, "NotOurs"],
    ["a button without a channel", stop, { channel: undefined }, "NotOurs"],
    ["no action", stop, { actions: [] }, "NotOurs"],
    ["a command that buttons do not carry", { action_id: "bellhop/continue" }, {}, "UnknownAction"],
    ["a menu without a choice", { action_id: "bellhop/use" }, {}, "UnknownAction"],
    ["a choice that is no repository", { ...choice, selected_option: { value: "a/b/c d" } }, {}, "UnknownAction"],
    ["a button that names no task", { ...stop, value: "stop" }, {}, "MalformedAction"],
    ["a button without a value", { ...stop, value: undefined }, {}, "MalformedAction"],
    ["a button of another command", { ...stop, value: "retry:slack-abc" }, {}, "MalformedAction"],
    ["a button whose task is no name", { ...stop, value: "stop:other/slack-abc" }, {}, "MalformedAction"],
    ["a task name that is too long", { ...stop, value: `stop:${"a".repeat(64)}` }, {}, "MalformedAction"],
    ["a menu whose block names no task", { ...choice, block_id: "bellhop/use" }, {}, "MalformedAction"],
  ])("ignores %s", (_, action, changes, reason) => {
    expect(normalise(aClick(action, changes), aContext())).toMatchObject({
      outcome: "ignored",
      reason,
      installationId: "T1",
    });
  });

  it("ignores other interactions by name", () => {
    expect(normalise(anInteractionDelivery({ ...shared, type: "view_submission" }), aContext())).toEqual({
      outcome: "ignored",
      reason: "UnknownEvent",
      message: "Bellhop does not handle the interaction view_submission.",
    });
  });

  it("names the organisation that installed the app", () => {
    const enterprise = { id: "E1", name: "Acme" };
    const event = eventOf(aClick(stop, { enterprise, is_enterprise_install: true }));
    expect(event).toMatchObject({ instance: "T1", installationId: "E1" });
    const outside = eventOf(aClick(stop, { team: null, enterprise, is_enterprise_install: true }));
    expect(outside).toMatchObject({ instance: "E1", installationId: "E1" });
    expect(normalise(aClick(stop, { team: null }), aContext())).toMatchObject({ outcome: "malformed", path: "team" });
  });
});

describe("normalise, with the message shortcut", () => {
  it("takes the message as the request of the person who used the shortcut", () => {
    expect(eventOf(aShortcut())).toEqual({
      provider: "slack",
      instance: "T1",
      installationId: "T1",
      event: "message_action",
      deliveryId: "1.2.a",
      cause: `slack/shortcut/T1/C1/${messageTs}/1767355200.000100`,
      subject: { type: "Thread", key: "#general", title: "the build & tests" },
      object: { type: "Message", id: `C1/${messageTs}` },
      conversation: `T1/C1/${messageTs}`,
      channel: { id: "C1", type: "Private" },
      actor: { id: "U1", login: "ada", isBot: false },
      occurredAt: new Date("2026-01-02T12:00:00.000Z"),
      text: "the build &amp; tests <@UBOT>",
      visibleText: "the build & tests",
      signals: [{ kind: "shortcut", words: "" }],
    });
  });

  it("belongs to the thread of the message", () => {
    const message = { user: "U2", text: "x", ts: messageTs, thread_ts: "1767340000.000001" };
    expect(eventOf(aShortcut({ message })).conversation).toBe("T1/C1/1767340000.000001");
  });

  it("never is a command, because somebody else may have written the message", () => {
    const message = { user: "U2", text: "<@UBOT> approve", ts: messageTs };
    expect(eventOf(aShortcut({ message })).signals).toEqual([{ kind: "shortcut", words: "" }]);
  });

  it("ignores other shortcuts, and the shortcut on a message of the bot itself", () => {
    expect(normalise(aShortcut({ callback_id: "other" }), aContext())).toMatchObject({ reason: "NotOurs" });
    const message = { user: "UBOT", text: "x", ts: messageTs };
    expect(normalise(aShortcut({ message }), aContext())).toMatchObject({ reason: "OwnBot" });
  });

  it.each([
    ["directmessage", "D1", "Direct", `slack D1/${messageTs}`],
    ["directmessage", "C1", "Direct", `slack C1/${messageTs}`],
    ["privategroup", "G1", "Private", `slack G1/${messageTs}`],
    ["mpdm-ada--bob-1", "G1", "Private", `slack G1/${messageTs}`],
    ["a <b>", "C1", "Private", `slack C1/${messageTs}`],
  ])("reads the channel %s (%s) as %s", (name, id, type, key) => {
    const event = eventOf(aShortcut({ channel: { id, name } }));
    expect(event).toMatchObject({ channel: { id, type }, subject: { key } });
  });
});

describe("normalise, with the slash command", () => {
  const fields = {
    token: "t",
    team_id: "T1",
    channel_id: "C1",
    channel_name: "general",
    user_id: "U1",
    user_name: "ada",
    command: "/bellhop",
    text: "fix a &lt;b&gt;",
    trigger_id: "1.2.a",
  };
  const aCommand = (changes: Record<string, string> = {}) => aFormDelivery({ ...fields, ...changes });

  it("converts free text to an event, dated by the signed time", () => {
    expect(eventOf(aCommand())).toEqual({
      provider: "slack",
      instance: "T1",
      installationId: "T1",
      event: "slash_command",
      deliveryId: "1.2.a",
      cause: "slack/command/T1/1.2.a",
      subject: { type: "Thread", key: "#general", title: "fix a <b>" },
      object: { type: "Command", id: "1.2.a" },
      conversation: "T1/C1/slash/911138fde6aa2b01",
      channel: { id: "C1", type: "Private" },
      actor: { id: "U1", login: "ada", isBot: false },
      occurredAt: receivedAt,
      text: "fix a &lt;b&gt;",
      visibleText: "fix a <b>",
      signals: [{ kind: "slashCommand", words: "fix a <b>" }],
    });
  });

  it("begins a conversation with each command", () => {
    const conversations = ["1.2.a", "1.2.b"].map((trigger_id) => eventOf(aCommand({ trigger_id })).conversation);
    expect(new Set(conversations).size).toBe(2);
  });

  it.each(["stop", "status"])("keeps the words of %s, from which intake makes a command", (text) => {
    const [signal] = eventOf(aCommand({ text })).signals;
    expect(signal).toEqual({ kind: "slashCommand", words: text });
    expect(parseCommand(text)).toEqual({ command: text });
  });

  it.each(["", "  ", "help", " HELP!"])("shows help for the text %j, with the name of the command", (text) => {
    const found = normalise(aCommand({ text, command: "/ship" }), aContext());
    expect(found).toMatchObject({ outcome: "ignored", reason: "Help", installationId: "T1" });
    expect(found).toHaveProperty("message", expect.stringContaining("/ship help"));
    expect(found).toHaveProperty("message", expect.stringContaining("/ship stop"));
  });

  it("does not repeat a name that is not one of a command", () => {
    const found = normalise(aCommand({ text: "help", command: "/<!here>" }), aContext());
    expect(found).toHaveProperty("message", expect.not.stringContaining("here"));
  });

  it("names the organisation that installed the app", () => {
    const organisation = { enterprise_id: "E1", is_enterprise_install: "true" };
    expect(eventOf(aCommand(organisation))).toMatchObject({ instance: "T1", installationId: "E1" });
    expect(eventOf(aCommand({ ...organisation, is_enterprise_install: "false" })).installationId).toBe("T1");
  });

  it("refuses a command whose ids are none", () => {
    expect(normalise(aCommand({ trigger_id: "a/b" }), aContext())).toMatchObject({ path: "trigger_id" });
    expect(normalise(aCommand({ team_id: "" }), aContext())).toMatchObject({ path: "team_id" });
    const { team_id: _, ...nowhere } = fields;
    expect(normalise(aFormDelivery(nowhere), aContext())).toMatchObject({ outcome: "malformed", path: "team_id" });
  });
});

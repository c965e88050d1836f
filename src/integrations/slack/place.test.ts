import { describe, expect, it } from "vitest";
import type { TaskSource } from "../../api/agent-task.ts";
import { messageOf, placeOf, timeOf, tsOf } from "./place.ts";

const source = (given: Partial<TaskSource> = {}): TaskSource => ({
  provider: "slack",
  cause: "slack/command/T1/123.456.abcdef",
  subject: { type: "Thread", key: "#shop" },
  ...given,
});

describe("the place of a request", () => {
  it.each([
    ["a thread", "T1/C0SHOP/1700000000.000100", { channel: "C0SHOP", thread: "1700000000.000100" }],
    ["a direct message", "T1/D0ANA/1700000000.000100", { channel: "D0ANA", thread: "1700000000.000100" }],
    ["a slash command", "E1/C0SHOP/slash/0123456789abcdef", { channel: "C0SHOP", thread: undefined }],
    ["a conversation of another provider", "acme/CLI#42", undefined],
  ])("is read from the conversation of %s", (_name, conversation, place) => {
    expect(placeOf({ source: source(), conversation })).toEqual(place);
  });

  it.each([
    ["the object", source({ object: { type: "Command", id: "C0SHOP/1700000000.000100/bellhop/stop/17.5" } })],
    ["the subject", source({ subject: { type: "Thread", key: "slack C0SHOP/1700000000.000100" } })],
    ["the cause", source({ cause: "slack/T1/C0SHOP/1700000000.000100" })],
    ["the cause of a shortcut", source({ cause: "slack/shortcut/T1/C0SHOP/1700000000.000100/17.5" })],
  ])("has its channel from %s if the conversation is not known", (_name, given) => {
    expect(placeOf({ source: given, conversation: "" })?.channel).toBe("C0SHOP");
  });

  it("has no thread from an object: a button is in a message of ours, not in the first one", () => {
    const object = { type: "Command", id: "C0SHOP/1700000000.000100/bellhop/stop/17.5" } as const;
    expect(placeOf({ source: source({ object }), conversation: "" })?.thread).toBeUndefined();
  });
});

it("is not known for tasks from kubectl", () => {
  const given = { source: source({ provider: "kubernetes" }), conversation: "T1/C0SHOP/1700000000.000100" };
  expect(placeOf(given)).toBeUndefined();
});

describe("the message of a request", () => {
  it("is only known for messages", () => {
    const id = "C0SHOP/1700000000.000100";
    expect(messageOf(source({ object: { type: "Message", id } }))).toBe("1700000000.000100");
    expect(messageOf(source({ object: { type: "Command", id } }))).toBeUndefined();
    expect(messageOf(source())).toBeUndefined();
  });
});

it("converts between times and time stamps of Slack", () => {
  expect(timeOf("1700000000.250000").toISOString()).toBe("2023-11-14T22:13:20.250Z");
  expect(tsOf(new Date("2023-11-14T22:13:20.250Z"))).toBe("1700000000.250000");
});

import { describe, expect, it } from "vitest";
import { ingress } from "./ingress.ts";
import { reply } from "./reply.ts";
import { aFormDelivery, anEventDelivery, anInteractionDelivery, aSlackApp } from "./testing.ts";

const anEvent = anEventDelivery({ type: "event_callback" });
const anInteraction = anInteractionDelivery({ type: "block_actions" });
const aCommand = aFormDelivery({ command: "/bellhop", text: "fix it" });
type Status = "accepted" | "duplicate" | "ignored" | "refused";
const answer = (status: number, result: Status, message = "Why.", reason = "Reason") => ({
  status,
  body: { status: result, reason, message },
});
const noRetry = { "x-slack-no-retry": "1" };

describe("reply", () => {
  it.each([
    [202, "accepted"],
    [200, "duplicate"],
    [200, "ignored"],
  ] as const)("answers an event with 200 and nothing else if it is %i %s", (status, result) => {
    expect(reply(answer(status, result), anEvent)).toEqual({ status: 200, body: "" });
  });

  it.each([400, 401, 413, 500])("asks Slack not to repeat an event that got %i", (status) => {
    expect(reply(answer(status, "refused"), anEvent)).toEqual({ status, headers: noRetry, body: "" });
  });

  it.each([429, 503])("lets Slack repeat an event that got %i", (status) => {
    expect(reply(answer(status, "refused"), anEvent)).toEqual({ status, body: "" });
  });

  it.each([
    [202, "accepted", 200],
    [200, "ignored", 200],
    [400, "refused", 200],
    [500, "refused", 200],
    [503, "refused", 503],
    [429, "refused", 429],
  ] as const)("answers an interaction that got %i %s with %i", (status, result, expected) => {
    expect(reply(answer(status, result), anInteraction)).toEqual({ status: expected, body: "" });
  });

  it.each([
    ["that a request is accepted", answer(202, "accepted"), "The request is accepted."],
    ["that a request is a duplicate", answer(200, "duplicate"), "This request was accepted before."],
    ["why nothing was started", answer(200, "ignored"), "Nothing was started: Why."],
    ["why a request was refused", answer(400, "refused"), "The request was refused (Reason): Why."],
    ["the help alone", answer(200, "ignored", "Write …", "Help"), "Write …"],
    ["where to give a command", answer(200, "ignored", "Give …", "NeedsThread"), "Give …"],
    [
      "what to do if a task could not be stored",
      answer(503, "refused"),
      "The request could not be stored; send it again. (Reason)",
    ],
    [
      "what to do if there are too many",
      answer(429, "refused"),
      "The request could not be stored; send it again. (Reason)",
    ],
  ])("shows the person who used the slash command %s", (_, given, text) => {
    const { status, headers, body } = reply(given, aCommand);
    expect({ status, type: headers?.["content-type"] }).toEqual({
      status: 200,
      type: "application/json; charset=utf-8",
    });
    expect(JSON.parse(body)).toEqual({
      response_type: "ephemeral",
      text: "Bellhop",
      blocks: [{ type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] }],
    });
  });

  it("answers 401 to everything that is not signed, whatever it looks like", () => {
    for (const delivery of [anEvent, anInteraction, aCommand, aFormDelivery("payload={")])
      expect(reply(answer(401, "refused"), delivery)).toEqual({ status: 401, headers: noRetry, body: "" });
  });

  it("answers a body that cannot be read like an event", () => {
    for (const delivery of [anEventDelivery("{"), anInteractionDelivery("{")])
      expect(reply(answer(400, "refused"), delivery)).toEqual({ status: 400, headers: noRetry, body: "" });
  });
});

describe("ingress", () => {
  it("takes the signing secret of the app as the only key of a hook that a person sets up", () => {
    expect(ingress.webhook(aSlackApp())).toEqual({
      install: "Manual",
      acceptedKeysRef: { name: "slack", key: "signing" },
      acceptedKeysPath: "spec.credentials.signingSecretRef",
      manually: "the request URLs are set on the pages of the Slack app",
      takeOver: false,
      sharedBy: undefined,
    });
  });

  it("takes JSON and forms of at most 1 MiB, and answers within the 3 s that Slack waits", () => {
    expect(ingress).toMatchObject({
      maxBodyBytes: 1_048_576,
      contentTypes: ["application/json", "application/x-www-form-urlencoded"],
      answerWithinMs: 3_000,
    });
  });
});

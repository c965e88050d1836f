import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thorough } from "../../../test/thorough.ts";
import type { HttpReply, SocketFrame } from "../ingress.ts";
import { normalise } from "./events.ts";
import { socket } from "./socket.ts";
import {
  aContext,
  anEventDelivery,
  aFormDelivery,
  anInteractionDelivery,
  receivedAt,
  slashCommand,
} from "./testing.ts";

const read = (message: unknown): SocketFrame =>
  socket.read(typeof message === "string" ? message : JSON.stringify(message), receivedAt);

function deliveryOf(message: object): Extract<SocketFrame, { kind: "delivery" }> {
  const frame = read(message);
  if (frame.kind !== "delivery") throw new Error(`no delivery: ${JSON.stringify(frame)}`);
  return frame;
}

const event = {
  type: "event_callback",
  team_id: "T1",
  event_id: "Ev1",
  event: { type: "app_mention", channel: "C1", user: "U1", text: "<@UBOT> fix it", ts: "1767350000.000001" },
};
const command = { ...slashCommand, text: "fix a&b = c", is_enterprise_install: false };
const click = {
  type: "block_actions",
  team: { id: "T1" },
  user: { id: "U1", username: "ana", name: "ana" },
  channel: { id: "C1", name: "general" },
  container: { message_ts: "1767350000.000001" },
  message: { user: "UBOT", ts: "1767350000.000001" },
  actions: [{ action_id: "bellhop/stop", action_ts: "1767355200.000100", block_id: "b", value: "stop:slack-abc" }],
};

describe("an envelope of Socket Mode", () => {
  it.each([
    ["events_api", event, anEventDelivery(event)],
    ["interactive", click, anInteractionDelivery(click)],
    ["slash_commands", command, aFormDelivery({ ...command, is_enterprise_install: "false" })],
  ])("of type %s means the same as the request to a webhook", (type, payload, request) => {
    const { delivery } = deliveryOf({ envelope_id: "e1", type, payload, accepts_response_payload: false });
    expect(normalise(delivery, aContext())).toEqual(normalise(request, aContext()));
    expect(normalise(delivery, aContext()).outcome).toBe("event");
  });

  const ok: HttpReply = { status: 200, body: JSON.stringify({ text: "done" }) };

  it("is acknowledged with the answer only if Slack accepts one", () => {
    const envelope = { envelope_id: "e1", type: "slash_commands", payload: command };
    const acknowledge = (accepts: boolean, reply: HttpReply) =>
      deliveryOf({ ...envelope, accepts_response_payload: accepts }).acknowledge(reply);
    expect(acknowledge(true, ok)).toBe('{"envelope_id":"e1","payload":{"text":"done"}}');
    expect(acknowledge(false, ok)).toBe('{"envelope_id":"e1"}');
    expect(acknowledge(true, { status: 200, body: "" })).toBe('{"envelope_id":"e1"}');
  });

  it("is not acknowledged if it must come again, and acknowledged if another attempt cannot succeed", () => {
    const { acknowledge } = deliveryOf({ envelope_id: "e1", type: "events_api", payload: event });
    expect(acknowledge({ status: 503, body: "" })).toBeUndefined();
    expect(acknowledge({ status: 429, body: "" })).toBeUndefined();
    expect(acknowledge({ status: 400, headers: { "x-slack-no-retry": "1" }, body: "" })).toBe('{"envelope_id":"e1"}');
  });
});

describe("an app-level token", () => {
  it("names its app, so that two tokens of one app are known to be so", () => {
    const [first, second, other] = ["xapp-1-A0X-1-aaa", " xapp-1-A0X-2-bbb\n", "xapp-1-A0Y-1-aaa"].map(socket.appOf);
    expect(first).toBe(second);
    expect(other).not.toBe(first);
    expect(socket.appOf(" odd ")).toBe("odd");
  });
});

describe("other messages of Socket Mode", () => {
  it.each([
    ["a greeting", { type: "hello", num_connections: 1 }, { kind: "ready" }],
    ["a warning", { type: "disconnect", reason: "warning" }, { kind: "replace" }],
    ["a refresh", { type: "disconnect", reason: "refresh_requested" }, { kind: "replace" }],
    ["an end without a reason", { type: "disconnect" }, { kind: "replace" }],
    ["an end with an odd reason", { type: "disconnect", reason: "constructor" }, { kind: "replace" }],
    ["Socket Mode off", { type: "disconnect", reason: "link_disabled" }, { kind: "refused", reason: "SocketModeOff" }],
    [
      "too many connections",
      { type: "disconnect", reason: "too_many_websockets" },
      { kind: "refused", reason: "TooManyConnections" },
    ],
    [
      "an unknown envelope",
      { type: "news", envelope_id: "e1", payload: {} },
      { kind: "other", acknowledgement: '{"envelope_id":"e1"}' },
    ],
    ["an envelope without id", { type: "events_api", payload: {} }, { kind: "other", acknowledgement: undefined }],
    ["no JSON", "not JSON", { kind: "other" }],
    ["far too many values", `[${"1,".repeat(60_000)}1]`, { kind: "other" }],
    ["a type that every object has", { type: "constructor" }, { kind: "other" }],
  ])("are read by their meaning: %s", (_name, message, frame) => {
    expect(read(message)).toMatchObject(frame);
  });

  it("never throw, whatever they are", () => {
    const some = fc.oneof(
      fc.json(),
      fc.string(),
      fc.jsonValue().map((payload) =>
        JSON.stringify({
          type: "slash_commands",
          envelope_id: "e1",
          payload,
        }),
      ),
    );
    fc.assert(
      fc.property(some, (text) => {
        const frame = read(text);
        if (frame.kind === "delivery") normalise(frame.delivery, aContext());
      }),
      { seed: 9, numRuns: thorough(100_000) },
    );
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { needsFile } from "../../../test/needs.ts";
import type { Delivery } from "../ingress.ts";
import { normalise } from "./events.ts";
import { aContext, aFormDelivery, anEventDelivery, anInteractionDelivery, bot } from "./testing.ts";

const fixtures = new URL("../../../../shared/fixtures/slack/events/", import.meta.url);

describe("normalise, with the payloads that others published", () => {
  const w111 = aContext({ bot: { ...bot, id: "W111" } });
  it.for([
    ["event_callback.app_mention.test_app.334.json", "event", "app_mention"],
    ["event_callback.app_mention.test_app_bot_only.119.json", "event", "app_mention"],
    ["event_callback.app_uninstalled.test_events.299.json", "ignored", "Notice"],
    ["event_callback.message.bot_message.test_message_bot.173.json", "ignored", "BotMessage"],
    ["event_callback.message.message_changed.test_message_changed.68.json", "ignored", "Edited"],
    ["event_callback.message.test_message.208.json", "ignored", "OwnBot"],
    ["event_callback.tokens_revoked.test_events.315.json", "ignored", "Notice"],
    ["url_verification.test_events_url_verification.69.json", "handshake", undefined],
    ["block_actions.test_block_actions.161.json", "ignored", "NotOurs"],
    ["block_suggestion.test_block_suggestion.208.json", "ignored", "NotOurs"],
    ["view_submission.test_view_submission.142.json", "ignored", "UnknownEvent"],
    ["slash_command.form.txt", "event", "slash_command"],
  ])("reads %s as %s %s", ([file = "", outcome, what], context) => {
    const fixture = new URL(file, fixtures);
    needsFile(context, fixture);
    const found = normalise(deliveryOf(file, readFileSync(fixture, "utf8")), w111);
    const name = found.outcome === "event" ? found.event.event : found.outcome === "ignored" ? found.reason : undefined;
    expect([found.outcome, name], JSON.stringify(found)).toEqual([outcome, what]);
  });

  it("has a line above for every payload", (context) => {
    needsFile(context, fixtures);
    expect(readdirSync(fixtures)).toHaveLength(12);
  });
});

function deliveryOf(name: string, text: string): Delivery {
  if (name.endsWith(".txt")) return aFormDelivery(text.trim());
  return /^(?:event_callback|url_verification)\./.test(name) ? anEventDelivery(text) : anInteractionDelivery(text);
}

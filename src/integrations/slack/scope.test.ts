import { describe, expect, it } from "vitest";
import type { SlackApp } from "../../api/slack-app.ts";
import type { Origin } from "../event.ts";
import { slack } from "./index.ts";
import { covers, host } from "./scope.ts";
import { aSlackApp } from "./testing.ts";

const installed = (...ids: string[]): SlackApp["status"] => ({
  installations: ids.map((id) => ({ id, account: "acme" })),
});
const channel = (id: string, type: NonNullable<Origin["channel"]>["type"] = "Public") => ({ id, type });

describe("covers", () => {
  it.each([
    ["a workspace of the bot token", "T1", true],
    ["an organisation of the bot token", "E1", true],
    ["no other workspace", "T2", false],
    ["no delivery without a workspace", undefined, false],
  ])("covers %s", (_, installationId, expected) => {
    const origin = { channel: channel("C1"), ...(installationId ? { installationId } : {}) };
    expect(covers(aSlackApp({}, installed("T1", "E1")), origin)).toBe(expected);
  });

  it("covers no workspace before the operator has found it, but then asks for the delivery again", () => {
    for (const status of [undefined, installed()]) {
      expect(covers(aSlackApp({}, status), { installationId: "T1", channel: channel("C1") })).toBe(false);
      expect(covers(aSlackApp({}, status), { channel: channel("C1") })).toBe(true);
    }
  });

  it.each([
    ["a listed channel", channel("C1"), true],
    ["no other channel", channel("C2"), false],
    ["no private channel that is not listed", channel("G2", "Private"), false],
    ["direct messages, which the list does not narrow", channel("D2", "Direct"), true],
    ["a delivery that names no channel", undefined, true],
  ])("covers with a list of channels %s", (_, place, expected) => {
    const app = aSlackApp({ access: { channels: ["C1"] } }, installed("T1"));
    expect(covers(app, { installationId: "T1", ...(place ? { channel: place } : {}) })).toBe(expected);
  });

  it("covers no direct message of another workspace", () => {
    const app = aSlackApp({ access: { channels: ["C1"] } }, installed("T1"));
    expect(covers(app, { installationId: "T2", channel: channel("D2", "Direct") })).toBe(false);
  });
});

describe("host", () => {
  it("is the host of the URL", () => {
    expect(host(aSlackApp())).toBe("slack.com");
    expect(host(aSlackApp({ url: "https://slack-gov.com:8443" }))).toBe("slack-gov.com:8443");
  });

  it("is the text of an invalid URL, without an exception", () => {
    const bad = aSlackApp();
    bad.spec.url = "https://a:99999";
    expect(host(bad)).toBe("a:99999");
  });
});

describe("the mapped repositories", () => {
  const app = aSlackApp({
    repositories: [
      { name: "acme/shop", channels: ["C1"] },
      { name: "acme/till", channels: ["C2"] },
    ],
  });

  it("have the channels that they are mapped to, and a conversation has the channel that it is in", () => {
    expect(slack.mappedRepositories?.(app)).toEqual([
      { name: "acme/shop", places: ["C1"] },
      { name: "acme/till", places: ["C2"] },
    ]);
    expect(slack.mappedRepositories?.(aSlackApp())).toEqual([]);
    expect(slack.placeOf?.("T1/C1/1700000000.000100")).toBe("C1");
    expect(slack.placeOf?.("something else")).toBe("");
  });
});

import { describe, expect, it } from "vitest";
import { normalise } from "./events.ts";
import { manifest } from "./manifest.ts";
import { required } from "./required.ts";
import { aContext, anInteractionDelivery, aSlackApp } from "./testing.ts";

const url = "https://bellhop.example.com/hooks/r1";
const triggers = ["mention", "directMessage", "slashCommand", "shortcut"];

function anApp(kinds: readonly string[], more: object = {}) {
  return aSlackApp({ triggers: kinds.map((kind) => ({ name: kind.toLowerCase(), [kind]: {} })), ...more });
}

/** Every text in a value that is an address, with its path. */
function addresses(value: unknown, path = ""): string[] {
  if (typeof value === "string") return value.startsWith("http") ? [`${path} ${value}`] : [];
  return Object.entries(value ?? {}).flatMap(([name, inner]) => addresses(inner, `${path}/${name}`));
}

describe("the manifest of a Slack app", () => {
  it.each([
    ["every trigger", anApp(triggers, { access: { userGroups: ["S1"] } })],
    ...triggers.map((kind) => [kind, anApp([kind])] as const),
    ["no reaction", anApp(["mention"], { reporting: { reaction: false } })],
  ] as const)("has exactly the scopes and events that the provider checks: %s", (_name, app) => {
    const { oauth_config, settings } = manifest(app, url);
    const { scopes, events } = required(app);
    expect(oauth_config?.scopes).toEqual({ bot: scopes });
    expect(settings?.event_subscriptions?.bot_events).toEqual(events);
    expect(settings?.event_subscriptions).not.toHaveProperty("user_events");
  });

  it("sends events, commands and interactions to the integration's URL, and nothing elsewhere", () => {
    expect(addresses(manifest(anApp(triggers), url)).sort()).toEqual([
      `/features/slash_commands/0/url ${url}`,
      `/settings/event_subscriptions/request_url ${url}`,
      `/settings/interactivity/message_menu_options_url ${url}`,
      `/settings/interactivity/request_url ${url}`,
    ]);
    expect(addresses(manifest(anApp(["mention"]), url))).toHaveLength(3);
  });

  it("has no URL with Socket Mode, which it turns on", () => {
    const credentials = {
      botTokenSecretRef: { name: "slack", key: "token" },
      appTokenSecretRef: { name: "slack", key: "app" },
    };
    const overSocket = manifest(anApp(triggers, { credentials }), url);
    expect(addresses(overSocket)).toEqual([]);
    expect(overSocket.settings).toMatchObject({
      socket_mode_enabled: true,
      interactivity: { is_enabled: true },
      event_subscriptions: { bot_events: expect.arrayContaining(["app_mention"]) as string[] },
    });
    expect(overSocket.features?.slash_commands).toHaveLength(1);
    expect(manifest(anApp(triggers), url).settings).toMatchObject({ socket_mode_enabled: false });
  });

  it("lets people write to the bot only if direct messages trigger tasks, and lets the bot answer a slash command", () => {
    const tabOf = (kind: string) => manifest(anApp([kind]), url).features?.app_home;
    const writable = { messages_tab_enabled: true, messages_tab_read_only_enabled: false };
    expect(tabOf("directMessage")).toMatchObject(writable);
    expect(tabOf("slashCommand")).toMatchObject({ ...writable, messages_tab_read_only_enabled: true });
    expect(tabOf("mention")).toMatchObject({ messages_tab_enabled: false });
  });

  it("has the shortcut that the provider recognises, within Slack's limits", () => {
    const [shortcut] = manifest(anApp(["shortcut"]), url).features?.shortcuts ?? [];
    expect(manifest(anApp(["mention"]), url).features).not.toHaveProperty("shortcuts");
    // Source: Slack, "App manifest reference".
    expect(shortcut?.name.length).toBeLessThanOrEqual(24);
    expect(shortcut?.description.length).toBeLessThanOrEqual(150);
    const payload = {
      type: "message_action",
      callback_id: shortcut?.callback_id,
      action_ts: "1767322800.000100",
      team: { id: "T1" },
      user: { id: "U1", username: "ana" },
      channel: { id: "C1", name: "shop" },
      message: { user: "U2", text: "the login fails", ts: "1767322700.000100" },
    };
    expect(normalise(anInteractionDelivery(payload), aContext())).toMatchObject({ outcome: "event" });
  });
});

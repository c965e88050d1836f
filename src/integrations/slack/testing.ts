import { slackAppSpec, type SlackApp } from "../../api/slack-app.ts";
import type { ProviderEvent } from "../event.ts";
import type { Delivery, Normalised, NormaliseContext } from "../ingress.ts";
import { normalise } from "./events.ts";

/** Builders for the tests of this folder. */

export const receivedAt = new Date("2026-01-02T12:00:00Z");

/** A SlackApp with the changes of a test. */
export function aSlackApp(spec: object = {}, status?: SlackApp["status"]): SlackApp {
  return {
    metadata: { name: "slack", namespace: "team" },
    spec: slackAppSpec.parse({
      credentials: {
        botTokenSecretRef: { name: "slack", key: "token" },
        signingSecretRef: { name: "slack", key: "signing" },
      },
      codeHostRef: { kind: "GitHubIntegration", name: "shop" },
      triggers: [{ name: "mention", mention: {} }],
      profileRef: { name: "default" },
      ...spec,
    }),
    ...(status ? { status } : {}),
  };
}

/** The fields of a slash command in T1. */
export const slashCommand = {
  command: "/bellhop",
  text: "please fix this",
  trigger_id: "1.2.a",
  team_id: "T1",
  channel_id: "C1",
  channel_name: "shop",
  user_id: "U1",
  user_name: "ana",
};

export const bot = { id: "UBOT", login: "bellhop", mention: "bellhop" };

/** A bot that has signed in and takes part in no thread. */
export function aContext(changes: Partial<NormaliseContext> = {}): NormaliseContext {
  return { bot, host: "slack.com", isLive: () => false, offered: [], ...changes };
}

/** A delivery of the Events API; a text is sent as it is. */
export function anEventDelivery(body: unknown): Delivery {
  return delivery("application/json", typeof body === "string" ? body : JSON.stringify(body));
}

/** An interaction: a form whose field `payload` has the JSON; a text is sent as it is. */
export function anInteractionDelivery(payload: unknown): Delivery {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return aFormDelivery({ payload: text });
}

/** A form, for example of a slash command; a text is sent as it is. */
export function aFormDelivery(fields: Record<string, string> | string): Delivery {
  const text = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
  return delivery("application/x-www-form-urlencoded; charset=utf-8", text);
}

function delivery(contentType: string, text: string): Delivery {
  const headers: Record<string, string> = {
    "content-type": contentType,
    "x-slack-request-timestamp": String(receivedAt.getTime() / 1_000),
  };
  return { body: Buffer.from(text), receivedAt, headers: { get: (name) => headers[name] } };
}

/** The event of a delivery. Throws if it gives none. */
export function eventOf(given: Delivery, context = aContext()): ProviderEvent {
  const found: Normalised = normalise(given, context);
  if (found.outcome !== "event") throw new Error(`no event: ${JSON.stringify(found)}`);
  return found.event;
}

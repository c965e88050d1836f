import { randomBytes } from "node:crypto";
import { createResponseUrl, respond } from "./response-urls.ts";
import type { App } from "./state/apps.ts";
import type { Channel, Message } from "./state/channels.ts";
import type { Delivery, Outgoing } from "./state/deliveries.ts";
import { findInstallation, installationAt, must } from "./state/find.ts";
import type { User } from "./state/teams.ts";
import { newTs } from "./state/world.ts";
import type { View, World } from "./state/world.ts";
import { viewMessage } from "./view/message.ts";
import { viewView } from "./view/modal.ts";
import { viewTeamBriefly } from "./view/team.ts";

type Json = Record<string, unknown>;

/** The element of a message that a person uses. */
export interface Element {
  block: Json;
  element: Json;
}

/** A person at a message of an app. */
export interface At {
  user: User;
  app: App;
  channel: Channel;
  message: Message;
}

/** Finds the element with this `action_id` in the blocks of a message, as a person sees it. */
export function elementOf(message: Message, actionId: string): Element {
  for (const block of message.blocks ?? []) {
    const elements = [...((block["elements"] as Json[] | undefined) ?? []), block["accessory"], block["element"]];
    for (const element of elements as (Json | undefined)[]) {
      if (element?.["action_id"] === actionId) return { block, element };
    }
  }
  throw new Error(
    `Slack stand-in: message ${message.ts} has no element ${actionId}: ${JSON.stringify(message.blocks)}`,
  );
}

/** Sends `block_actions`: a click, or a choice. `value` has the fields of the action that depend on the element. */
export function sendAction(world: World, at: At, { block, element }: Element, value: Json): Promise<Delivery> {
  const { user, app, channel, message } = at;
  must(installationAt(world, app, channel), `app ${app.name} in the channel's workspaces`);
  const action = {
    type: element["type"],
    action_id: element["action_id"],
    block_id: block["block_id"],
    ...(element["text"] !== undefined && { text: element["text"] }),
    ...value,
    action_ts: newTs(world),
  };
  const payload = {
    type: "block_actions",
    ...common(world, user, app),
    ...onMessage(world, at),
    state: { values: {} },
    response_url: createResponseUrl(world, "actions", {
      app,
      channel,
      user,
      messageTs: message.ts,
      threadTs: message.threadTs,
    }),
    actions: [action],
  };
  return world.ask({ app, kind: "interaction", type: "block_actions", url: app.interactivityUrl, payload });
}

/** Sends `block_suggestion`: the person types a query into an `external_select`. */
export function sendSuggestion(world: World, at: At, { block, element }: Element, query: string): Promise<Delivery> {
  const { user, app, channel } = at;
  must(installationAt(world, app, channel), `app ${app.name} in the channel's workspaces`);
  const { trigger_id: _, ...shared } = common(world, user, app);
  const payload = {
    type: "block_suggestion",
    ...shared,
    ...onMessage(world, at),
    action_id: element["action_id"],
    block_id: block["block_id"],
    value: query,
  };
  if (app.optionsUrl === "" && !app.socketMode)
    throw new Error(`Slack stand-in: app ${app.name} has no options load URL, so Slack shows no choices.`);
  return world.ask({ app, kind: "options", type: "block_suggestion", url: app.optionsUrl, payload });
}

/** Sends `message_action`: a message shortcut. */
export function sendShortcut(world: World, at: At, callbackId: string): Promise<Delivery> {
  const { user, app, channel, message } = at;
  must(findInstallation(world, app, user.team), `app ${app.name} in ${user.team.domain}`);
  const payload = {
    type: "message_action",
    action_ts: newTs(world),
    ...common(world, user, app),
    callback_id: callbackId,
    response_url: createResponseUrl(world, "actions", { app, channel, user, threadTs: message.threadTs }),
    message_ts: message.ts,
    channel: { id: channel.id, name: nameIn(channel) },
    message: viewMessage(world, channel, message),
  };
  return world.ask({ app, kind: "interaction", type: "message_action", url: app.interactivityUrl, payload });
}

/** Sends `view_submission`: the person submits a modal with these values, by block and action. */
export function sendSubmission(world: World, user: User, view: View, values: Json): Promise<Delivery> {
  const { app } = view;
  const payload = {
    type: "view_submission",
    ...common(world, user, app),
    view: { ...viewView(world, view), state: { values } },
    response_urls: [],
  };
  return world.ask({ app, kind: "interaction", type: "view_submission", url: app.interactivityUrl, payload });
}

/** Sends a slash command, and posts the message in its answer. Slack accepts commands in channels without the bot. */
export async function sendCommand(
  world: World,
  on: { user: User; app: App; channel: Channel },
  given: { command: string; text: string; url: string },
): Promise<Delivery> {
  const { user, app, channel } = on;
  const { team } = user;
  const { enterprise } = team;
  const installation = must(findInstallation(world, app, team), `app ${app.name} in ${team.domain}`);
  const responseUrl = createResponseUrl(world, "commands", { app, channel, user });
  const payload = {
    token: app.verificationToken,
    team_id: team.id,
    team_domain: team.domain,
    ...(enterprise && { enterprise_id: enterprise.id, enterprise_name: enterprise.name }),
    channel_id: channel.id,
    channel_name: nameIn(channel),
    user_id: user.id,
    user_name: user.name,
    command: given.command,
    text: given.text,
    api_app_id: app.id,
    is_enterprise_install: String(installation.organisationWide),
    response_url: responseUrl,
    trigger_id: newTrigger(world, user),
  };
  const outgoing: Outgoing = { app, kind: "command", type: given.command, url: given.url, payload, fields: true };
  const delivery = await world.ask(outgoing);
  const answer = answerOf(delivery);
  const at = world.data.responseUrls.get(responseUrl);
  if (at && answer !== undefined) respond(world, at, typeof answer === "string" ? { text: answer } : answer);
  return delivery;
}

/** The answer to an interaction: JSON or text; undefined if it is empty or not 200. */
export function answerOf(delivery: Delivery): Json | string | undefined {
  const last = delivery.attempts.at(-1);
  if (last?.status !== 200 || last.answer === "") return undefined;
  try {
    const value = JSON.parse(last.answer) as unknown;
    return typeof value === "object" && value !== null && Object.keys(value).length > 0 ? (value as Json) : undefined;
  } catch {
    return last.answer;
  }
}

function common(world: World, user: User, app: App): Json & { trigger_id: string } {
  const { team } = user;
  const { enterprise } = team;
  return {
    user: { id: user.id, username: user.name, name: user.name, team_id: team.id },
    api_app_id: app.id,
    token: app.verificationToken,
    trigger_id: newTrigger(world, user),
    team: viewTeamBriefly(team),
    enterprise: enterprise && { id: enterprise.id, name: enterprise.name },
    is_enterprise_install: findInstallation(world, app, team)?.organisationWide ?? false,
  };
}

/** Slack does not send the content of ephemeral messages. */
function onMessage(world: World, { channel, message }: At): Json {
  const ephemeral = message.ephemeralFor !== null;
  const thread = message.threadTs === null ? {} : { thread_ts: message.threadTs };
  return {
    container: {
      type: "message",
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: ephemeral,
      ...thread,
    },
    channel: { id: channel.id, name: nameIn(channel) },
    ...(!ephemeral && { message: viewMessage(world, channel, message) }),
  };
}

function nameIn({ kind, name }: Channel): string {
  return { public: name, private: "privategroup", im: "directmessage", mpim: name }[kind];
}

function newTrigger(world: World, user: User): string {
  const id = `${world.data.nextId++}.${user.team.id.length}${world.data.nextId++}.${randomBytes(16).toString("hex")}`;
  world.data.triggers.set(id, world.clock.now().getTime());
  return id;
}

import type { Installation } from "./state/apps.ts";
import type { Channel, Message } from "./state/channels.ts";
import { covers, findInstallation, teamsOf } from "./state/find.ts";
import type { App } from "./state/apps.ts";
import { newId, newTs, nowSeconds } from "./state/world.ts";
import type { World } from "./state/world.ts";
import { channelType } from "./view/channel.ts";
import { viewMessage } from "./view/message.ts";

type Json = Record<string, unknown>;

const subscriptions = { public: "message.channels", private: "message.groups", im: "message.im", mpim: "message.mpim" };

/** Sends the events of a new message: `message`, and `app_mention` to each app that it mentions. Both have the same `ts`. */
export function emitPosted(world: World, channel: Channel, message: Message): void {
  const event = { ...viewMessage(world, channel, message, { thread: false }), ...teamsIn(channel, message) };
  const { ts } = message;
  for (const installation of audience(world, channel)) {
    const { app, bot } = installation;
    const mentioned = message.text.includes(`<@${bot.id}>`) && message.user !== bot && channel.kind !== "im";
    if (mentioned && app.events.has("app_mention"))
      emitEvent(world, installation, { ...event, type: "app_mention", channel: channel.id, event_ts: ts }, channel);
    emitMessage(world, installation, channel, { ...event, event_ts: ts });
  }
}

/** Sends `message_changed`. `before` is the view of the message before the change. */
export function emitChanged(world: World, channel: Channel, message: Message, before: Json): void {
  const ts = newTs(world);
  const after = viewMessage(world, channel, message);
  const event = { subtype: "message_changed", message: after, previous_message: before, hidden: true, ts };
  for (const installation of audience(world, channel))
    emitMessage(world, installation, channel, { type: "message", ...event, event_ts: ts });
}

/** Sends `message_deleted`. */
export function emitDeleted(world: World, channel: Channel, message: Message, before: Json): void {
  const ts = newTs(world);
  const event = { subtype: "message_deleted", previous_message: before, hidden: true, deleted_ts: message.ts, ts };
  for (const installation of audience(world, channel))
    emitMessage(world, installation, channel, { type: "message", ...event, event_ts: ts });
}

/** Sends an event to an app about its own installation, if the app subscribes to it. */
export function emitEvent(world: World, installation: Installation, event: Json, channel?: Channel): void {
  const { app } = installation;
  if (app.eventsUrl === "" && !app.socketMode) return;
  const payload = wrap(world, installation, event, channel);
  world.emit({ app, kind: "event", type: String(event["type"]), url: app.eventsUrl, payload });
}

function emitMessage(world: World, installation: Installation, channel: Channel, event: Json): void {
  if (!installation.app.events.has(subscriptions[channel.kind])) return;
  const message = { ...event, channel: channel.id, channel_type: channelType(channel) };
  emitEvent(world, installation, message, channel);
}

/** The installations that receive the events of a channel: one per app, and only if its bot is a member. */
function audience(world: World, channel: Channel): Installation[] {
  const found = new Map<App, Installation>();
  for (const app of world.data.apps) {
    const installations = teamsOf(channel).map((team) => findInstallation(world, app, team));
    const member = installations.find((installation) => installation && channel.members.has(installation.bot.id));
    if (member && !member.revoked) found.set(app, member);
  }
  return [...found.values()];
}

/** Further fields of messages in channels that several workspaces share. */
function teamsIn(channel: Channel, { user }: Message): Json {
  if (channel.sharedWith.length === 0) return {};
  return { user_team: user.team.id, source_team: user.team.id };
}

function wrap(world: World, installation: Installation, event: Json, channel: Channel | undefined): Json {
  const { app, bot, organisationWide } = installation;
  const team = (channel && teamsOf(channel).find((candidate) => covers(installation, candidate))) ?? installation.team;
  const enterpriseId = team.enterprise?.id ?? null;
  // An installation for a whole organisation has no workspace of its own.
  const authorized = { enterprise_id: enterpriseId, team_id: organisationWide ? null : team.id };
  const authorization = { ...authorized, user_id: bot.id, is_bot: true };
  const external = channel?.sharedWith.some(({ enterprise }) => !enterprise || enterprise !== channel.team.enterprise);
  return {
    token: app.verificationToken,
    team_id: team.id,
    context_team_id: team.id,
    context_enterprise_id: enterpriseId,
    ...(enterpriseId !== null && { enterprise_id: enterpriseId }),
    api_app_id: app.id,
    event,
    type: "event_callback",
    event_id: newId(world.data, "Ev"),
    event_time: nowSeconds(world),
    authorizations: [{ ...authorization, is_enterprise_install: organisationWide }],
    is_ext_shared_channel: external ?? false,
    event_context: `4-${Buffer.from(JSON.stringify({ et: event["type"], tid: team.id, aid: app.id, cid: channel?.id })).toString("base64")}`,
  };
}

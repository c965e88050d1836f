import type { App, Installation } from "../state/apps.ts";
import type { Channel, Message } from "../state/channels.ts";
import { covers, findMessage, teamsOf } from "../state/find.ts";
import type { World } from "../state/world.ts";
import { SlackFailure } from "./failure.ts";
import type { BotCall, Method } from "./method.ts";

/** Finds the installation of a bot token, or answers as Slack does for a missing, unknown or revoked token. */
export function authenticate(world: World, token: string | undefined): Installation {
  if (token === undefined || token === "") throw new SlackFailure("not_authed");
  const found = world.data.installations.find((installation) => installation.token === token);
  if (!found) throw new SlackFailure(token.startsWith("xapp-") ? "not_allowed_token_type" : "invalid_auth");
  if (found.removed || found.bot.deleted) throw new SlackFailure("account_inactive");
  if (found.revoked) throw new SlackFailure("token_revoked");
  if ((found.expiresAtMs ?? Infinity) <= world.clock.now().getTime()) throw new SlackFailure("token_expired");
  return found;
}

/** Finds the app of an app-level token. */
export function authenticateApp(world: World, token: string | undefined): App {
  if (token === undefined || token === "") throw new SlackFailure("not_authed");
  const found = world.data.apps.find(({ appToken }) => appToken === token);
  if (!found) throw new SlackFailure(token.startsWith("xoxb-") ? "not_allowed_token_type" : "invalid_auth");
  return found;
}

/** Answers `missing_scope` if the token has none of the method's scopes. */
export function requireScope(installation: Installation, { scopes }: Method): void {
  if (scopes.length === 0 || scopes.some((scope) => installation.scopes.has(scope))) return;
  throw missingScope(installation, scopes.join(","));
}

/** Answers `missing_scope` if the token does not have the scope of the kind of this channel, for example `groups:history`. */
export function requireChannelScope(installation: Installation, channel: Channel, action: "read" | "history"): void {
  const scope = `${{ public: "channels", private: "groups", im: "im", mpim: "mpim" }[channel.kind]}:${action}`;
  if (!installation.scopes.has(scope)) throw missingScope(installation, scope);
}

/** The channel of the argument `channel`, if the bot can know it: public channels of its workspace, and those that it is a member of. */
export function channelOf({ world, params, installation }: BotCall): Channel {
  const id = params.required("channel");
  const channel = world.data.channels.find((candidate) => candidate.id === id);
  if (!channel || !teamsOf(channel).some((team) => covers(installation, team)))
    throw new SlackFailure("channel_not_found");
  if (channel.kind !== "public" && !channel.members.has(installation.bot.id))
    throw new SlackFailure("channel_not_found");
  return channel;
}

/** The channel of the argument `channel`, if the bot may write to it. */
export function writableChannelOf(call: BotCall): Channel {
  const channel = channelOf(call);
  const { scopes, bot } = call.installation;
  if (channel.archived) throw new SlackFailure("is_archived");
  const anywhere = channel.kind === "public" && scopes.has("chat:write.public");
  if (!channel.members.has(bot.id) && !anywhere) throw new SlackFailure("not_in_channel");
  return channel;
}

/** The message of an argument (`ts` or `timestamp`). Ephemeral messages cannot be found by the API. */
export function messageOf({ params }: BotCall, channel: Channel, argument: string): Message {
  const message = findMessage(channel, params.required(argument));
  if (!message || message.ephemeralFor) throw new SlackFailure("message_not_found");
  return message;
}

function missingScope(installation: Installation, needed: string): SlackFailure {
  return new SlackFailure("missing_scope", { needed, provided: [...installation.scopes].join(",") });
}

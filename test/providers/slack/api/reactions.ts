import { react, unreact } from "../actions/messages.ts";
import { viewMessage } from "../view/message.ts";
import { channelOf, messageOf } from "./access.ts";
import { SlackFailure } from "./failure.ts";
import { reading, writing } from "./method.ts";
import type { Answer, BotCall, Method } from "./method.ts";

/** Reactions on messages. */
export const reactionMethods: Method[] = [
  writing("reactions.add", ["reactions:write"], add),
  writing("reactions.remove", ["reactions:write"], remove),
  reading("reactions.get", ["reactions:read"], get),
];

function add(call: BotCall): Answer {
  const channel = channelOf(call);
  const message = messageOf(call, channel, "timestamp");
  if (channel.archived) throw new SlackFailure("is_archived");
  const { bot } = call.installation;
  if (!channel.members.has(bot.id) && channel.kind !== "public") throw new SlackFailure("not_in_channel");
  if (!react(message, bot, nameOf(call))) throw new SlackFailure("already_reacted");
  return {};
}

function remove(call: BotCall): Answer {
  const channel = channelOf(call);
  const message = messageOf(call, channel, "timestamp");
  if (!unreact(message, call.installation.bot, nameOf(call))) throw new SlackFailure("no_reaction");
  return {};
}

function get(call: BotCall): Answer {
  const channel = channelOf(call);
  const message = messageOf(call, channel, "timestamp");
  return {
    type: "message",
    channel: channel.id,
    message: viewMessage(call.world, channel, message, { thread: false }),
  };
}

function nameOf({ params }: BotCall): string {
  const name = params.required("name").replaceAll(":", "");
  if (!/^[a-z0-9_+'-]+$/.test(name)) throw new SlackFailure("invalid_name");
  return name;
}

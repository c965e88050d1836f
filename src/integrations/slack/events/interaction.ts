import type { z } from "zod";
import { objectName } from "../../../api/common.ts";
import type { Signal } from "../../event.ts";
import { actionPrefix } from "../elements.ts";
import { visible } from "../mention.ts";
import {
  channelOf,
  eventOf,
  ignored,
  threadSubject,
  timeOf,
  type Ignored,
  type Reading,
  type Source,
} from "./event.ts";
import type { BlockActions, Interaction, messageAction } from "./payload.ts";

/** Callback id of the message shortcut, as in the app's manifest. */
export const shortcutId = "bellhop";

/** Reads a click on a button, or a choice in a menu, in a message of ours. It can only carry a command. */
export function readBlockActions(payload: BlockActions, source: Source): Reading {
  const action = payload.actions.find(({ action_id }) => action_id.startsWith(actionPrefix));
  if (!action || !isOurs(payload, source))
    return ignored(source, "NotOurs", "The button or menu is not in a message of Bellhop.");
  const { channel, container } = payload;
  const messageTs = container?.message_ts;
  if (!channel || !messageTs)
    return ignored(source, "NotOurs", "The button or menu is not in a message, but in a view.");
  const signal = signalOf(action, source);
  if ("outcome" in signal) return signal;
  const root = rootOf(payload, messageTs);
  const id = `${channel.id}/${messageTs}/${action.action_id}/${action.action_ts}`;
  return eventOf(source, {
    event: "block_actions",
    action: commandOf(action),
    cause: `slack/action/${source.instance}/${id}`,
    object: { type: "Command", id },
    subject: threadSubject(channel, root),
    conversation: `${source.instance}/${channel.id}/${root}`,
    channel: channelOf(channel),
    actor: actorOf(payload),
    occurredAt: timeOf(action.action_ts),
    signal: isPersonal(payload) ? signal : { ...signal, message: messageTs },
  });
}

/** Whether only one person sees the message: Slack does not send it back. */
function isPersonal({ container, message }: BlockActions): boolean {
  return container?.is_ephemeral === true || !message;
}

/** The first message of the thread. A message that only one person sees begins no thread. */
function rootOf(payload: BlockActions, messageTs: string): string {
  const known = payload.message?.thread_ts ?? payload.container?.thread_ts;
  return known ?? (isPersonal(payload) ? `personal/${messageTs}` : messageTs);
}

/** Slack sends clicks only to the app that posted the message. This holds even if a proxy sends us those of another app with the same secret. */
function isOurs({ api_app_id, message }: BlockActions, { botIds }: Source): boolean {
  if (!message) return true; // Slack does not send back messages that only one person sees.
  if (message.app_id) return message.app_id === api_app_id;
  return !message.user || botIds.size === 0 || botIds.has(message.user);
}

const repositoryName = /^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/;
type Action = BlockActions["actions"][number];

function commandOf({ action_id }: Action): string {
  return action_id.slice(actionPrefix.length);
}

type ActionSignal = Extract<Signal, { words: string }>;

function signalOf(action: Action, source: Source): ActionSignal | Ignored {
  const words = wordsOfAction(commandOf(action), action);
  if (words === undefined)
    return ignored(source, "UnknownAction", "The button or menu does not carry a command that Bellhop knows.");
  const target = targetOf(commandOf(action), action);
  if (target === undefined)
    return ignored(source, "MalformedAction", "The button or menu does not name the task that its report is about.");
  return { kind: "action", words, target };
}

/** The command of a button or menu as a person would write it. */
function wordsOfAction(command: string, { selected_option }: Action): string | undefined {
  if (command === "stop" || command === "retry" || command === "approve") return command;
  if (command === "choose") return "use";
  const value = selected_option?.value ?? "";
  return command === "use" && repositoryName.test(value) ? `use ${value}` : undefined;
}

/** The task that we put into the value of a button, or into the block of a menu. A person cannot change either. */
function targetOf(command: string, { value, block_id }: Action): string | undefined {
  const [start, given] = command === "use" ? [`${actionPrefix}use:`, block_id] : [`${command}:`, value];
  if (!given?.startsWith(start)) return undefined;
  const name = objectName.safeParse(given.slice(start.length));
  return name.success ? name.data : undefined;
}

/** Reads the use of the message shortcut: the message is the request, and the person who used the shortcut asks. */
export function readMessageAction(payload: z.infer<typeof messageAction>, source: Source): Reading {
  const { callback_id, channel, message, action_ts } = payload;
  if (callback_id !== shortcutId) return ignored(source, "NotOurs", "The shortcut is not the one of Bellhop.");
  if (message.user && source.botIds.has(message.user))
    return ignored(
      source,
      "OwnBot",
      "The bot itself wrote the message. Use the shortcut on a message of somebody else.",
    );
  const root = message.thread_ts ?? message.ts;
  return eventOf(source, {
    event: "message_action",
    cause: `slack/shortcut/${source.instance}/${channel.id}/${message.ts}/${action_ts}`,
    object: { type: "Message", id: `${channel.id}/${message.ts}` },
    subject: threadSubject(channel, root),
    conversation: `${source.instance}/${channel.id}/${root}`,
    channel: channelOf(channel),
    actor: actorOf(payload),
    occurredAt: timeOf(action_ts),
    text: message.text,
    visibleText: visible(message.text, [...source.botIds][0]),
    // Somebody else may have written the message, so it is never a command of the person who used the shortcut.
    signal: { kind: "shortcut", words: "" },
  });
}

function actorOf({ user }: Interaction): { id: string; login: string | undefined } {
  return { id: user.id, login: user.username ?? user.name ?? undefined };
}

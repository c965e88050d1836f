import { optionFaults } from "../api/blocks.ts";
import {
  answerOf,
  elementOf,
  sendAction,
  sendCommand,
  sendShortcut,
  sendSubmission,
  sendSuggestion,
} from "../interact.ts";
import { findApp, findChannel, must } from "../state/find.ts";
import type { Delivery } from "../state/deliveries.ts";
import type { World } from "../state/world.ts";
import { actor, appOf, messageAt } from "./resolve.ts";
import type { By, MessageRef } from "./resolve.ts";

/** The outcome of an interaction. */
export interface Reply {
  /** HTTP status; undefined if there was no answer within 3 s. */
  status: number | undefined;
  /** JSON or text of the answer; undefined if it is empty. */
  answer: Record<string, unknown> | string | undefined;
}

/** An option of a select. */
export interface Option {
  text: { type: string; text: string };
  value: string;
}

/** Clicks a button of an app's message. */
export async function clicks(world: World, given: By & { message: MessageRef; actionId: string }): Promise<Reply> {
  const user = actor(world, given);
  const { channel, message } = messageAt(world, given.message, user);
  const found = elementOf(message, given.actionId);
  const value = found.element["value"] === undefined ? {} : { value: found.element["value"] };
  return reply(await sendAction(world, { user, app: appOf(message), channel, message }, found, value));
}

/** Types a query into an `external_select`, and returns the options that the app offers. Throws if Slack could not show them. */
export async function types(
  world: World,
  given: By & { message: MessageRef; actionId: string; query: string },
): Promise<Option[]> {
  const user = actor(world, given);
  const { channel, message } = messageAt(world, given.message, user);
  const found = elementOf(message, given.actionId);
  const delivery = await sendSuggestion(world, { user, app: appOf(message), channel, message }, found, given.query);
  const { status, answer } = reply(delivery);
  if (status !== 200 || typeof answer !== "object")
    throw new Error(`Slack stand-in: no options for ${given.actionId}: status ${status ?? "none"}.`);
  const groups = answer["option_groups"] as { options: Option[] }[] | undefined;
  const options = groups ? groups.flatMap((group) => group.options) : (answer["options"] as Option[] | undefined);
  const faults =
    options === undefined ? ["there are no options"] : options.length === 0 ? [] : optionFaults(options, "/options");
  if (faults.length > 0) throw new Error(`Slack stand-in: Slack refuses these options: ${faults.join("; ")}`);
  return options ?? [];
}

/** Chooses an option of a select, by value. Options of an `external_select` come from `types`. */
export async function picks(
  world: World,
  given: By & { message: MessageRef; actionId: string; option: Option | string },
): Promise<Reply> {
  const user = actor(world, given);
  const { channel, message } = messageAt(world, given.message, user);
  const found = elementOf(message, given.actionId);
  const offered = (found.element["options"] ?? []) as Option[];
  const { option } = given;
  const selected = typeof option === "string" ? offered.find(({ value }) => value === option) : option;
  const action = { selected_option: must(selected, `option ${JSON.stringify(option)} of ${given.actionId}`) };
  return reply(await sendAction(world, { user, app: appOf(message), channel, message }, found, action));
}

/** Loads the person's client again: ephemeral messages are gone. Source: Slack, "Sending ephemeral messages". */
export function reloads(world: World, given: By): void {
  const user = actor(world, given);
  for (const { messages } of world.data.channels)
    for (const message of messages) if (message.ephemeralFor === user) message.deleted = true;
}

/** Submits an open modal with these values, by block and action, and closes it unless the answer has a `response_action`. */
export async function submits(
  world: World,
  given: By & { view: string; values: Record<string, Record<string, unknown>> },
): Promise<Reply> {
  const { views } = world.data;
  const view = must(
    views.find(({ id }) => id === given.view),
    `open modal ${given.view}`,
  );
  const outcome = reply(await sendSubmission(world, actor(world, given), view, given.values));
  const stays = typeof outcome.answer === "object" && outcome.answer["response_action"] !== "clear";
  if (outcome.status === 200 && !stays) views.splice(views.indexOf(view), 1);
  return outcome;
}

/** Sends a slash command in a channel. The message in its answer is posted as Slack does. */
export async function command(
  world: World,
  given: By & { channel: string; command: string; text?: string; app?: string },
): Promise<Reply> {
  const app = findApp(world, given.app);
  const url = must(app.commands.get(given.command), `command ${given.command} of app ${app.name}`);
  const on = { user: actor(world, given), app, channel: findChannel(world, given.channel) };
  return reply(await sendCommand(world, on, { command: given.command, text: given.text ?? "", url }));
}

/** Uses a message shortcut of an app on any message. */
export async function shortcut(
  world: World,
  given: By & { message: MessageRef; callbackId: string; app?: string },
): Promise<Reply> {
  const user = actor(world, given);
  const at = { user, app: findApp(world, given.app), ...messageAt(world, given.message, user) };
  return reply(await sendShortcut(world, at, given.callbackId));
}

function reply(delivery: Delivery): Reply {
  return { status: delivery.attempts.at(-1)?.status, answer: answerOf(delivery) };
}

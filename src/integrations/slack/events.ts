import { z } from "zod";
import type { Delivery, Normalised, NormaliseContext } from "../ingress.ts";
import { readBody } from "./body.ts";
import { readSlashCommand } from "./events/command.ts";
import { ignored, workspaceOf, type Reading, type Source, type Workspace } from "./events/event.ts";
import { readBlockActions, readMessageAction } from "./events/interaction.ts";
import { readAppMention, readMessage } from "./events/message.ts";
import { readSuggestion } from "./events/suggestion.ts";
import * as payloads from "./events/payload.ts";

type Payload = Record<string, unknown>;
type Context = NormaliseContext & Pick<Source, "deliveryId" | "sentAt">;

/** Converts a delivery to an event, or returns why it is not one. Except for the content type, it reads only signed bytes. */
export function normalise(delivery: Delivery, context: NormaliseContext): Normalised {
  const body = readBody(delivery);
  if (body.kind === "malformed") return malformed(body.path, body.message);
  const known: Context = { ...context, deliveryId: idIn(body.value), sentAt: sentAt(delivery) };
  try {
    return readers[body.kind](body.value, known);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    return malformed(
      issue?.path.join(".") || "body",
      issue?.message ?? "the payload does not have the shape that Slack sends",
    );
  }
}

/** Slack's id of the event or interaction. Redeliveries carry the same id. */
export function deliveryId(delivery: Delivery): string | undefined {
  const body = readBody(delivery);
  return body.kind === "malformed" ? undefined : idIn(body.value);
}

const readers = { event: readCallback, interaction: readInteraction, form: readForm } as const;

function idIn({ event_id, trigger_id }: Payload): string | undefined {
  const id = event_id ?? trigger_id;
  return typeof id === "string" && id !== "" ? id.slice(0, 128) : undefined;
}

/** The time that the signature covers. */
function sentAt({ headers }: Delivery): Date | undefined {
  const seconds = headers.get("x-slack-request-timestamp") ?? "";
  return /^[0-9]{1,11}$/.test(seconds) ? new Date(Number(seconds) * 1_000) : undefined;
}

/** Reads a request of the Events API. */
function readCallback(payload: Payload, context: Context): Normalised {
  const { type } = payloads.typed.parse(payload);
  if (type === "url_verification") {
    const { challenge } = payloads.urlVerification.parse(payload);
    const headers = { "content-type": "application/json; charset=utf-8" };
    return { outcome: "handshake", reply: { status: 200, headers, body: JSON.stringify({ challenge }) } };
  }
  if (type === "app_rate_limited") return rateLimited(payload);
  if (type !== "event_callback") return unknown("type of request", type);
  const envelope = payloads.envelope.parse(payload);
  const workspace = workspaceOfEvent(envelope);
  if (!workspace) return noWorkspace("team_id");
  const source = { ...context, ...workspace, botIds: botIds(workspace, envelope.authorizations, context) };
  return normalised(readEvent(envelope.event, source), payload);
}

function rateLimited(payload: Payload): Normalised {
  const { team_id } = payloads.rateLimited.parse(payload);
  const message = `Slack limits the deliveries of workspace ${team_id ?? "(not named)"}: it sends at most 30,000 events an hour and drops the others. Invite the bot to fewer channels.`;
  return { outcome: "ignored", reason: "AppRateLimited", message, ...(team_id ? { installationId: team_id } : {}) };
}

/** Events that Bellhop answers without any action. */
const notices = new Set(["app_uninstalled", "tokens_revoked"]);

function readEvent(event: payloads.Envelope["event"], source: Source): Reading {
  if (event.type === "app_mention") return readAppMention(event, source);
  if (event.type === "message") return readMessage(event, source);
  if (notices.has(event.type))
    return ignored(source, "Notice", "No action required: the operator notices it at its next check.");
  return ignored(source, "UnknownEvent", `Bellhop does not handle the event ${event.type}.`);
}

/** In a channel that organisations share, `team_id` may be the other side's workspace; the authorisation names the one with the app. */
function workspaceOfEvent({ team_id, enterprise_id, authorizations }: payloads.Envelope): Workspace | undefined {
  const installed = authorizations?.[0];
  return workspaceOf({
    team: installed?.team_id ?? team_id,
    enterprise: installed?.enterprise_id ?? enterprise_id,
    isOrganisationWide: installed?.is_enterprise_install === true,
  });
}

/**
 * The ids of our bot in the workspace: it has another one in each. The id in another workspace does not count. In a channel that both share, a
 * mention of that id arrives for the other workspace as well, so it would become two requests.
 */
function botIds(
  { installationId }: Workspace,
  authorizations: payloads.Envelope["authorizations"],
  { bot, installations = [] }: NormaliseContext,
): ReadonlySet<string> {
  const named = (authorizations ?? []).filter(({ is_bot }) => is_bot !== false).map(({ user_id }) => user_id);
  const installed = installations.find(({ id }) => id === installationId)?.botId;
  return new Set([...named, installed ?? bot?.id].filter((id) => typeof id === "string"));
}

/** Reads the use of a button, menu or shortcut. */
function readInteraction(payload: Payload, context: Context): Normalised {
  const { type } = payloads.typed.parse(payload);
  if (type === "block_actions") {
    const actions = payloads.blockActions.parse(payload);
    return inWorkspace(actions, context, (source) => normalised(readBlockActions(actions, source), payload));
  }
  if (type === "message_action") {
    const action = payloads.messageAction.parse(payload);
    return inWorkspace(action, context, (source) => normalised(readMessageAction(action, source), payload));
  }
  if (type === "block_suggestion") {
    const suggestion = payloads.blockSuggestion.parse(payload);
    return inWorkspace(suggestion, context, (source) => readSuggestion(suggestion, source));
  }
  return unknown("interaction", type);
}

function inWorkspace(
  { team, enterprise, is_enterprise_install }: payloads.Interaction,
  context: Context,
  read: (source: Source) => Normalised,
): Normalised {
  const isOrganisationWide = is_enterprise_install;
  const workspace = workspaceOf({ team: team?.id, enterprise: enterprise?.id, isOrganisationWide });
  return workspace ? read({ ...context, ...workspace, botIds: botIds(workspace, [], context) }) : noWorkspace("team");
}

/** Reads a slash command, or the check of its URL. */
function readForm(fields: Payload, context: Context): Normalised {
  if (fields["ssl_check"] === "1") return { outcome: "handshake", reply: { status: 200, body: "" } };
  if (!("command" in fields)) return unknown("form", undefined);
  const command = payloads.slashCommand.parse(fields);
  const { team_id: team, enterprise_id: enterprise, is_enterprise_install: isOrganisationWide } = command;
  const workspace = workspaceOf({ team, enterprise, isOrganisationWide });
  if (!workspace) return noWorkspace("team_id");
  const source = { ...context, ...workspace, botIds: botIds(workspace, [], context) };
  return normalised(readSlashCommand(command, source), fields);
}

function normalised(reading: Reading, body: unknown): Normalised {
  return "event" in reading ? { outcome: "event", event: reading.event, body } : reading;
}

function unknown(what: string, name: string | undefined): Normalised {
  const message = `Bellhop does not handle ${name ? `the ${what} ${name}` : `this ${what}`}.`;
  return { outcome: "ignored", reason: "UnknownEvent", message };
}

function noWorkspace(path: string): Normalised {
  return malformed(path, "the payload names neither a workspace nor an organisation");
}

function malformed(path: string, message: string): Normalised {
  return { outcome: "malformed", path, message };
}

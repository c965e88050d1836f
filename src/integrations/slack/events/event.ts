import { defined } from "../../../shared/defined.ts";
import type { Origin, ProviderEvent, Signal } from "../../event.ts";
import type { Normalised, NormaliseContext } from "../../ingress.ts";

/** The context of all readers of payloads: the workspace, our own accounts in it, and the delivery's id. */
export interface Source extends Workspace, NormaliseContext {
  botIds: ReadonlySet<string>;
  deliveryId: string | undefined;
  /** The signed time of the delivery, for payloads that carry no time. */
  sentAt: Date | undefined;
}

/** The workspace that ids belong to, and the installation of the app: the workspace itself, or its organisation if that installed the app. */
export interface Workspace {
  instance: string;
  installationId: string;
}

/** The result of reading a payload: an event, or the reason why it is ignored. */
export type Reading = { event: ProviderEvent } | Ignored;
export type Ignored = Extract<Normalised, { outcome: "ignored" }>;

/** The part of an event that depends on its kind. */
type Particulars = Pick<ProviderEvent, "event" | "cause" | "object" | "subject" | "conversation"> & {
  channel: Origin["channel"];
  actor: { id: string; login?: string | null | undefined };
  action?: string | undefined;
  occurredAt?: Date | undefined;
  text?: string | undefined;
  visibleText?: string | undefined;
  signal: Signal;
};

/** Builds an event from the fields that all events share and those of its kind. */
export function eventOf({ instance, installationId, deliveryId }: Source, particulars: Particulars): Reading {
  const { signal, actor, action, occurredAt, text, visibleText, channel, subject, ...rest } = particulars;
  const event: ProviderEvent = {
    provider: "slack",
    instance,
    installationId,
    ...rest,
    subject: { ...subject, ...defined({ title: titleOf(visibleText) }) },
    ...defined({ channel, action, deliveryId, occurredAt, text, visibleText }),
    actor: { id: actor.id, login: actor.login ?? actor.id, isBot: false },
    signals: [signal],
  };
  return { event };
}

const maxTitle = 80;

/** A title for branch and change, because threads have none: the first line of the request that does not only name the repository. Untrusted. */
export function titleOf(visibleText = ""): string | undefined {
  const lines = visibleText.slice(0, 4_096).split("\n");
  const line = lines.map((each) => each.trim()).find((each) => each !== "" && !/^repo(?:sitory)?:/i.test(each));
  if (line === undefined) return undefined;
  const characters = Array.from(line);
  return characters.length <= maxTitle ? line : `${characters.slice(0, maxTitle - 1).join("")}…`;
}

/** The ids of a workspace and of its organisation; undefined if a payload names neither. */
export function workspaceOf(given: {
  team: string | null | undefined;
  enterprise: string | null | undefined;
  isOrganisationWide: boolean;
}): Workspace | undefined {
  const instance = given.team ?? given.enterprise;
  if (!instance) return undefined;
  return { instance, installationId: (given.isOrganisationWide ? given.enterprise : undefined) ?? instance };
}

/** A delivery that is answered and not acted on. Its origin is named, so that it can be counted for its integration. */
export function ignored({ installationId }: Workspace, reason: string, message: string): Ignored {
  return { outcome: "ignored", reason, message, installationId };
}

/** A place in Slack, as a payload names it. */
export interface Place {
  id: string;
  name?: string | null | undefined;
  type?: string | null | undefined;
}

/**
 * A channel counts as public only if the payload says so. An id that begins with C does not: private channels have such ids too. Group
 * messages count as private channels.
 */
export function channelOf({ id, name, type }: Place): NonNullable<Origin["channel"]> {
  if (type === "im" || name === "directmessage" || id.startsWith("D")) return { id, type: "Direct" };
  return { id, type: type === "channel" ? "Public" : "Private" };
}

/** Names that Slack writes instead of the name of a direct message, a private channel or a group message. */
const unnamed = /^(?:directmessage|privategroup|mpdm-.*)$/;

/** Subject of a thread: the channel's name if the payload has it. `root` identifies the thread in the channel. */
export function threadSubject({ id, name }: Place, root: string): ProviderEvent["subject"] {
  return { type: "Thread", key: name && !unnamed.test(name) ? `#${name}` : `slack ${id}/${root}` };
}

const maxSeconds = Date.UTC(9999, 11, 31) / 1_000;

/** The time of a Slack time stamp, which is in seconds; undefined if no calendar has it. */
export function timeOf(ts: string): Date | undefined {
  const seconds = Number(ts);
  return seconds >= 0 && seconds < maxSeconds ? new Date(Math.floor(seconds * 1_000)) : undefined;
}

import type { EventRepository, NormaliseContext, ProviderEvent, Signal } from "../../types.ts";
import { findMention } from "../mention.ts";
import { stripHidden } from "../markdown/strip.ts";
import type { Envelope, Subject, User } from "./payload.ts";
import { defined } from "../../../shared/defined.ts";

/** GitHub takes 65,536 characters, of at most two units each. */
const maxVisible = 131_072;

/** The headers of an event, and our own account. */
export interface Origin extends NormaliseContext {
  /** The `X-GitHub-Event` header. */
  name: string;
  deliveryId: string | undefined;
}

/** The result of reading a payload: an event, or the reason why it is ignored. */
export type ReadResult = { event: ProviderEvent } | Ignored;

/** Why a payload triggers nothing; `again` if it may match a trigger once the integration has signed in. */
export interface Ignored {
  ignored: string;
  message: string;
  again?: true;
}

/** The part of an event that depends on its kind. */
type Particulars = Pick<ProviderEvent, "cause" | "subject" | "object" | "conversation" | "signals"> & {
  url?: string | undefined;
  occurredAt?: string | null | undefined;
  text?: string | undefined;
};

/** Builds an event from the fields that all events share and those of its kind. */
export function eventOf(origin: Origin, payload: Envelope, particulars: Particulars): ProviderEvent {
  const { url, occurredAt, text, ...rest } = particulars;
  const time = occurredAt ? new Date(occurredAt) : undefined;
  return {
    provider: "github",
    instance: origin.host,
    event: origin.name,
    ...defined({ action: payload.action, deliveryId: origin.deliveryId, url }),
    ...(text === undefined ? {} : { text, visibleText: stripHidden(text.slice(0, maxVisible)) }),
    ...(time && !Number.isNaN(time.getTime()) ? { occurredAt: time } : {}),
    ...(payload.installation ? { installationId: payload.installation.id } : {}),
    actor: actorOf(payload.sender),
    repository: repositoryOf(payload, origin.host),
    ...rest,
  };
}

/** The repository that a payload names. */
export function repositoryOf({ repository }: Pick<Envelope, "repository">, host: string): EventRepository {
  return {
    id: repository.id,
    host,
    owner: repository.owner.login,
    name: repository.name,
    private: repository.private,
  };
}

/** Subject and conversation of an event about an issue or a change. */
export function subjectOf(
  payload: Envelope,
  type: "Issue" | "Change",
  subject: Subject,
): { subject: ProviderEvent["subject"]; conversation: string } {
  const key = subjectKey(payload, subject.number);
  return { subject: { type, key, number: subject.number, title: subject.title }, conversation: key };
}

/** `owner/name#number`. */
export function subjectKey({ repository }: Envelope, number: number): string {
  return `${repository.owner.login}/${repository.name}#${number}`;
}

/** The mention in a text as a signal, or the reason why there is none. */
export function mentionIn(text: string | null | undefined, origin: Origin): Signal | Ignored {
  if (!origin.bot) {
    const message = "The integration has not signed in yet, so its bot account is not known.";
    return { ignored: "BotUnknown", message, again: true };
  }
  const found = findMention(text ?? "", origin.bot.mention);
  if (found) return { kind: "mention", words: found.words };
  return { ignored: "NotMentioned", message: `The text does not mention @${origin.bot.mention}.` };
}

/** Whether the user is the bot itself. The bot's own actions do not trigger tasks. */
export function isOurs(user: User | null | undefined, { bot }: NormaliseContext): boolean {
  if (!user || !bot) return false;
  return user.id === bot.id || user.login.toLowerCase() === bot.login.toLowerCase();
}

function actorOf(sender: User): ProviderEvent["actor"] {
  return { id: sender.id, login: sender.login, isBot: sender.type === "Bot" };
}

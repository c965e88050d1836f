import type { EventRepository, ProviderEvent, Signal } from "../../event.ts";
import type { NormaliseContext } from "../../ingress.ts";
import { findMention } from "../mention.ts";
import { hasMarker } from "../report/hidden-marker.ts";
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
  url?: string | null | undefined;
  occurredAt?: string | null | undefined;
  text?: string | undefined;
  /** The text that asks for work, if nobody wrote it to the bot: the issue that somebody labelled. */
  description?: string | undefined;
};

/** Builds an event from the fields that all events share and those of its kind. */
export function eventOf(origin: Origin, payload: Envelope, particulars: Particulars): ProviderEvent {
  const { url, occurredAt, text, description = text, ...rest } = particulars;
  const time = occurredAt ? new Date(occurredAt) : undefined;
  return {
    provider: "github",
    instance: origin.host,
    event: origin.name,
    ...defined({ action: payload.action ?? undefined, deliveryId: origin.deliveryId, url: url ?? undefined }),
    ...defined({ text }),
    ...(description === undefined ? {} : { visibleText: visibleIn(description) }),
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

/** Subject and conversation of an event about an issue or a change. The conversation goes by the repository's id, which a renaming keeps. */
export function subjectOf(
  payload: Envelope,
  type: "Issue" | "Change",
  subject: Subject,
): { subject: ProviderEvent["subject"]; conversation: string } {
  const key = subjectKey(payload, subject.number);
  const created = new Date(subject.created_at ?? "");
  const createdAt = Number.isNaN(created.getTime()) ? {} : { createdAt: created.toISOString() };
  const conversation = `${payload.repository.id}#${subject.number}`;
  return { subject: { type, key, number: subject.number, title: subject.title, ...createdAt }, conversation };
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
  if (hasMarker(text ?? ""))
    return { ignored: "BotSender", message: "Bellhop wrote this text, and it triggers nothing." };
  const found = requestIn(text ?? "", origin.bot.mention);
  if (found) return { kind: "mention", words: found.words };
  return { ignored: "NotMentioned", message: `The text does not mention @${origin.bot.mention}.` };
}

/** The words after the mention in a text, as a reader sees them; undefined if the text does not mention the bot. */
export function requestIn(text: string, mention: string): { words: string } | undefined {
  const found = findMention(text, mention);
  return found && { words: stripHidden(found.words.slice(0, maxVisible)) };
}

/** A text as a reader sees it; only its beginning if it is too long. */
export function visibleIn(text: string): string {
  return stripHidden(text.slice(0, maxVisible));
}

/** Whether the user is the bot itself. The bot's own actions do not trigger tasks. */
export function isOurs(user: User | null | undefined, { bot }: NormaliseContext): boolean {
  if (!user || !bot) return false;
  return user.id === bot.id || user.login.toLowerCase() === bot.login.toLowerCase();
}

/** Without a sender, GitHub's name for deleted accounts; only checks have such an event, and nobody acts for their sender. */
function actorOf(sender: User | null | undefined): ProviderEvent["actor"] {
  const { id, login, type } = sender ?? { id: "", login: "ghost", type: "User" };
  return { id, login, isBot: type === "Bot" };
}

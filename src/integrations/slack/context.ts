import { withoutInvisible } from "../../shared/markdown/invisible.ts";
import { cutBytes } from "../../shared/utf8.ts";
import type { Authorizer, ContextItem, ThreadTarget } from "../connection.ts";
import { cutMark, possiblyEdited } from "../context-notes.ts";
import type { SlackClient } from "./client.ts";
import { isOwn, type Self, type WhoAmI } from "./identity.ts";
import { isEditedSince, type SlackMessage } from "./messages.ts";
import { readNewest } from "./newest.ts";
import { decode } from "./mrkdwn.ts";
import { messageOf, placeOf, timeOf, tsOf } from "./place.ts";

/** The most authors that are looked up for one task. Further authors are not trusted. */
const maxAuthors = 40;

/** Dependencies of the source. */
export interface SourceDeps {
  client: SlackClient;
  who: WhoAmI;
  authorizer: Authorizer;
}

/**
 * Reads the thread up to `until`: the newest messages within the budget, oldest first. Our own messages are left out. A message that was edited
 * later is replaced by a note. A slash command has no thread and thus no context.
 */
export async function gather(
  deps: SourceDeps,
  target: ThreadTarget,
  { until, budgetBytes }: { until: Date; budgetBytes: number },
  signal: AbortSignal,
): Promise<ContextItem[]> {
  const found = placeOf(target);
  if (!found?.thread) return [];
  const place = { ...found, thread: found.thread };
  const self = await deps.who(signal);
  const latest = latestOf(target, until);
  const itemsOf = (read: ReadonlyMap<string, SlackMessage>): Item[] =>
    [...read.values()]
      .filter((message) => isForContext(message, self, latest))
      .sort((a, b) => Number(a.ts) - Number(b.ts))
      .map((message) => ({ message, text: textOf(message, self, until) }));
  const isEnough = (read: ReadonlyMap<string, SlackMessage>): boolean => sizeOf(itemsOf(read)) >= budgetBytes;
  const read = await readNewest(deps.client, { place, latest, doing: "read the thread", isEnough }, signal);
  const chosen = chosenOf(itemsOf(read), place.thread, budgetBytes);
  const authors = await readAuthors(deps, target, chosen, signal);
  return chosen.map(({ message, text }) => ({
    ...(authors.get(authorOf(message)) ?? { author: authorOf(message), trusted: false }),
    createdAt: timeOf(message.ts).toISOString(),
    kind: message.ts === place.thread ? ("body" as const) : ("comment" as const),
    text,
  }));
}

/** Times have no microseconds, so the triggering message itself is the end if `until` is its time. */
function latestOf({ source }: ThreadTarget, until: Date): string {
  const triggering = messageOf(source);
  const isEnd = triggering !== undefined && timeOf(triggering).getTime() === until.getTime();
  return isEnd ? triggering : tsOf(until);
}

interface Item {
  message: SlackMessage;
  text: string;
}

/** Messages about the thread itself, such as that somebody joined, hold no text of people. */
const writtenByPeople = new Set([undefined, "thread_broadcast", "file_share", "me_message", "bot_message"]);

function isForContext(message: SlackMessage, self: Self, latest: string): boolean {
  return !isOwn(message, self) && writtenByPeople.has(message.subtype) && Number(message.ts) <= Number(latest);
}

function textOf({ text = "", edited }: SlackMessage, self: Self, until: Date): string {
  if (isEditedSince(edited, until)) return possiblyEdited;
  return withoutInvisible(decode(text, self.id)).trim();
}

function authorOf({ user, bot_id }: SlackMessage): string {
  return user ?? bot_id ?? "unknown";
}

function sizeOf(items: readonly Item[]): number {
  return items.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

/** The first message of the thread says what it is about, so it has a quarter of the budget; the newest items have the rest. */
function chosenOf(items: readonly Item[], thread: string, budgetBytes: number): Item[] {
  if (sizeOf(items) <= budgetBytes) return withinBudget(items, budgetBytes);
  const root = withinBudget(
    items.filter(({ message }) => message.ts === thread),
    Math.floor(budgetBytes / 4),
  );
  const rest = items.filter(({ message }) => message.ts !== thread);
  return [...root, ...withinBudget(rest, budgetBytes - sizeOf(root))];
}

/** The newest items that fit; the oldest of them may be cut. */
function withinBudget(items: readonly Item[], budgetBytes: number): Item[] {
  const chosen: Item[] = [];
  let left = budgetBytes;
  for (const { message, text } of items.toReversed()) {
    if (text === "") continue;
    // Not even the mark of a cut text would fit.
    if (Buffer.byteLength(text) > left && left <= Buffer.byteLength(cutMark)) break;
    const cut = cutBytes(text, left, cutMark);
    left -= Buffer.byteLength(cut);
    chosen.unshift({ message, text: cut });
  }
  return chosen;
}

/** The names of the newest authors, and whether they may start tasks. Only then their text is trusted. */
async function readAuthors(
  { authorizer }: SourceDeps,
  { source }: ThreadTarget,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<Map<string, Pick<ContextItem, "author" | "trusted">>> {
  const ids = items.toReversed().flatMap(({ message: { user, bot_id } }) => (user && !bot_id ? [user] : []));
  const authors = new Map<string, Pick<ContextItem, "author" | "trusted">>();
  for (const id of [...new Set(ids)].slice(0, maxAuthors)) {
    const { allowed, login } = await authorizer.may({ source, actor: { id, login: id } }, signal);
    authors.set(id, { author: login, trusted: allowed });
  }
  return authors;
}

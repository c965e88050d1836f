import type { SlackClient } from "./client.ts";
import { pages } from "./limits.ts";
import { nameOf, timeOf, type Place } from "./place.ts";

/** The fields that we use of a message. */
export interface SlackMessage {
  ts: string;
  thread_ts?: string;
  subtype?: string;
  /** Absent in messages of some apps. */
  user?: string;
  bot_id?: string;
  text?: string;
  edited?: { ts?: string };
  metadata?: { event_type?: string; event_payload?: Record<string, unknown> };
}

/** The messages to read, by their `ts`; both ends are included. */
export interface Span {
  oldest?: string;
  latest?: string;
}

/** An answer with messages; more follow if it has a cursor. */
export interface Page {
  messages?: SlackMessage[];
  response_metadata?: { next_cursor?: string };
}

/**
 * Reads a thread page by page, oldest first; without a thread the messages of the channel, newest first. Slack may add the first message of the
 * thread to each page. At most 20 pages.
 */
export async function* readMessages(
  client: SlackClient,
  reading: Reading,
  signal: AbortSignal,
): AsyncGenerator<SlackMessage[]> {
  let cursor = "";
  for (let page = 0; page < pages.most; page++) {
    const { messages = [], response_metadata } = await readPage(client, { ...reading, cursor }, signal);
    yield messages;
    cursor = response_metadata?.next_cursor ?? "";
    if (cursor === "") return;
  }
}

/** The place and time of messages; `doing` begins the sentence of an error. */
interface Reading {
  place: Place;
  span: Span;
  doing: string;
}

/** Reads one page of messages, the first one without a cursor. */
export async function readPage(
  client: SlackClient,
  { place, span, doing, cursor = "" }: Reading & { cursor?: string },
  signal: AbortSignal,
): Promise<Page> {
  const { channel, thread } = place;
  const args = {
    channel,
    ...(thread === undefined ? {} : { ts: thread }),
    ...span,
    inclusive: true,
    include_all_metadata: true,
    limit: pages.size,
    ...(cursor === "" ? {} : { cursor }),
  };
  const method = thread === undefined ? "conversations.history" : "conversations.replies";
  return client.call<Page>({ doing: `${doing} ${nameOf(place)}`, method, args }, signal);
}

/** Reads one message of a thread; undefined if it does not exist. */
export async function readMessage(
  client: SlackClient,
  place: Place,
  ts: string,
  signal: AbortSignal,
): Promise<SlackMessage | undefined> {
  const thread = place.thread ?? ts;
  const reading = { place: { ...place, thread }, span: { oldest: ts, latest: ts }, doing: "read a message in" };
  for await (const messages of readMessages(client, reading, signal)) {
    const found = messages.find((message) => message.ts === ts);
    if (found) return found.subtype === "tombstone" ? undefined : found;
  }
  return undefined;
}

/** Slack's time of an edit has whole seconds, so an edit in the same second counts. */
export function isEditedSince(edited: SlackMessage["edited"], time: Date): boolean {
  if (edited === undefined) return false;
  const editedAt = timeOf(edited.ts ?? "").getTime();
  return Number.isNaN(editedAt) || editedAt >= Math.floor(time.getTime() / 1_000) * 1_000;
}

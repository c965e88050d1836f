import type { PersonalQuestion, PostedReport, Thread, ThreadTarget } from "../connection.ts";
import { isProviderFailure, ProviderError } from "../errors.ts";
import type { PacedCall } from "../pace.ts";
import type { Report } from "../report.ts";
import { threadCall } from "../thread-call.ts";
import { defined } from "../../shared/defined.ts";
import type { SlackClient } from "./client.ts";
import { hasCode } from "./failures.ts";
import { isOwn, type Self, type WhoAmI } from "./identity.ts";
import { readMessages, type SlackMessage } from "./messages.ts";
import { conversationIn, messageOf, nameOf, placeOf, tsOf, type Place } from "./place.ts";
import { render, renderEnd, renderQuestion, type Rendered } from "./report/render.ts";

const reaction = "eyes";
/** Slack's methods for the writes to a thread. */
const methods = {
  acknowledge: "reactions.add",
  post: "chat.postMessage",
  update: "chat.update",
  answer: "chat.postEphemeral",
} as const;
/** Type of the metadata of our messages; its payload holds the marker. */
const eventType = "bellhop_report";

/** Posts and updates our report as a message in a thread of one workspace. */
export function thread(client: SlackClient, who: WhoAmI): Required<Omit<Thread, "has" | "excerpt">> {
  const poster: Poster = { client, who };
  return {
    turn: (target, write) => {
      const { channel } = requiredPlace(target);
      const paced = threadCall(target, write);
      return client.ask({ method: methods[write.do], args: { channel }, paced });
    },
    acknowledge: (target, signal) => acknowledge(client, target, signal),
    post: async (target, report, marker, signal) => {
      const place = requiredPlace(target);
      const paced = threadCall(target, { do: "post", report });
      const sent = await post(poster, { place, content: render(report), marker, what: "the report", paced }, signal);
      const posted = inThread(target, place, sent);
      // Slack notifies the people of a thread, but nobody in a channel.
      if (report.over && !place.thread) await notify(poster, { place, report, marker, messageTs: posted.id }, signal);
      return posted;
    },
    update: async (target, { id, marker }, report, signal) => {
      const place = requiredPlace(target);
      const args = { channel: place.channel, ts: id, ...render(report), parse: "none", metadata: metadataOf(marker) };
      const paced = threadCall(target, { do: "update", report });
      await client.call(
        { doing: `update the report in ${nameOf(place)}`, method: methods.update, args, paced },
        signal,
      );
      if (report.over) await notify(poster, { place, report, marker, messageTs: id }, signal);
    },
    ask: (target, question, signal) => ask(client, requiredPlace(target), question, signal),
    answer: (target, report, signal) => {
      const paced = threadCall(target, { do: "answer", report });
      return answer(client, { place: requiredPlace(target), report, paced }, signal);
    },
    find: async (target, marker, since, signal) => {
      const place = requiredPlace(target);
      const found = await find(poster, { place, marker, since }, signal);
      return found && inThread(target, place, found);
    },
  };
}

/** A report in a channel begins a thread, in which people answer. */
function inThread(target: ThreadTarget, place: Place, posted: { id: string; url: string }): PostedReport {
  return place.thread === undefined ? { ...posted, conversation: conversationIn(target, place, posted.id) } : posted;
}

/**
 * Shows a message to the requester only: in the channel, or in a direct message if the bot or the person is not in the channel. Slack sends an
 * ephemeral message only to people who are in the channel, and the address for answers to the command is not stored: it is a credential.
 */
async function answer(
  client: SlackClient,
  { place, report, paced }: { place: Place; report: Report; paced: PacedCall },
  signal: AbortSignal,
): Promise<void> {
  const user = report.requester.id;
  const { channel } = place;
  const content = { ...render(report), link_names: false, parse: "none" };
  const doing = `answer ${user} in ${channel}`;
  try {
    await client.call({ doing, method: methods.answer, args: { channel, user, ...content }, paced }, signal);
  } catch (error) {
    if (!isProviderFailure(error, "NotFound", "Forbidden") || hasCode(error, "missing_scope")) throw error;
    await writeTo(client, { user, content }, signal);
  }
}

async function writeTo(
  client: SlackClient,
  { user, content }: { user: string; content: object },
  signal: AbortSignal,
): Promise<void> {
  const doing = `write a direct message to ${user}`;
  const open = { doing, method: "conversations.open", args: { users: user } } as const;
  const { channel } = await client.call<{ channel?: { id?: string } }>(open, signal);
  const args = { channel: channel?.id ?? user, ...content, unfurl_links: false, unfurl_media: false };
  await client.call({ doing, method: "chat.postMessage", args }, signal);
}

interface Poster {
  client: SlackClient;
  who: WhoAmI;
}

/** Only messages can have reactions. A second reaction of the same kind is no failure. */
async function acknowledge(client: SlackClient, target: ThreadTarget, signal: AbortSignal): Promise<void> {
  const place = placeOf(target);
  const timestamp = messageOf(target.source);
  if (!place || timestamp === undefined) return;
  const args = { channel: place.channel, timestamp, name: reaction };
  try {
    const doing = `react to a message in ${nameOf(place)}`;
    const paced = threadCall(target, { do: "acknowledge" });
    await client.call({ doing, method: methods.acknowledge, args, paced }, signal);
  } catch (error) {
    if (!hasCode(error, "already_reacted")) throw error;
  }
}

interface Posting {
  place: Place;
  content: Rendered;
  marker: string;
  /** Completes "post …". */
  what: string;
  paced?: PacedCall;
}

async function post(
  { client, who }: Poster,
  { place, content, marker, what, paced }: Posting,
  signal: AbortSignal,
): Promise<{ id: string; url: string }> {
  const self = await who(signal);
  const args = {
    channel: place.channel,
    ...(place.thread === undefined ? {} : { thread_ts: place.thread }),
    ...content,
    metadata: metadataOf(marker),
    unfurl_links: false,
    unfurl_media: false,
    link_names: false,
    parse: "none",
  };
  const call = { doing: `post ${what} to ${nameOf(place)}`, method: methods.post, args, ...defined({ paced }) };
  const { ts } = await client.call<{ ts?: string }>(call, signal);
  if (ts === undefined) throw new ProviderError("Unavailable", `cannot ${call.doing}: Slack's answer names no message`);
  return { id: ts, url: linkTo(self, place, ts) };
}

/** Slack shows such a message in a thread only if the thread has replies, so the report is posted before. */
async function ask(client: SlackClient, place: Place, question: PersonalQuestion, signal: AbortSignal): Promise<void> {
  const args = {
    channel: place.channel,
    ...(place.thread === undefined ? {} : { thread_ts: place.thread }),
    user: question.person,
    ...renderQuestion(question),
    link_names: false,
    parse: "none",
  };
  const doing = `ask for the repository in ${nameOf(place)}`;
  await client.call({ doing, method: "chat.postEphemeral", args }, signal);
}

/** Slack notifies nobody of an edit, as it does of a new message, so a reply mentions the requester when the report is over. Posted once: its own marker is searched first. */
async function notify(
  poster: Poster,
  { place, report, marker, messageTs }: { place: Place; report: Report; marker: string; messageTs: string },
  signal: AbortSignal,
): Promise<void> {
  const reply = { ...place, thread: place.thread ?? messageTs };
  const endMarker = `${marker}/end`;
  const since = new Date(Number(messageTs) * 1_000);
  if (await find(poster, { place: reply, marker: endMarker, since }, signal)) return;
  await post(
    poster,
    { place: reply, content: renderEnd(report), marker: endMarker, what: "the end of the task" },
    signal,
  );
}

/** Finds our message by its marker. Looks only at messages of our own bot, because every app can write the marker. */
async function find(
  { client, who }: Poster,
  { place, marker, since }: { place: Place; marker: string; since: Date },
  signal: AbortSignal,
): Promise<{ id: string; url: string } | undefined> {
  const self = await who(signal);
  const reading = { place, span: { oldest: tsOf(since) }, doing: "look for the report in" };
  try {
    for await (const messages of readMessages(client, reading, signal)) {
      const found = messages.find((message) => isOwn(message, self) && markerOf(message) === marker);
      if (found) return { id: found.ts, url: linkTo(self, place, found.ts) };
    }
  } catch (error) {
    // Somebody deleted the first message of the thread, and it has no replies: a reply can still be posted.
    if (!hasCode(error, "thread_not_found")) throw error;
  }
  return undefined;
}

function metadataOf(marker: string): NonNullable<SlackMessage["metadata"]> {
  return { event_type: eventType, event_payload: { marker } };
}

function markerOf({ metadata }: SlackMessage): unknown {
  return metadata?.event_type === eventType ? metadata.event_payload?.["marker"] : undefined;
}

/** Source: the form of the links that Slack's `chat.getPermalink` answers. */
function linkTo(self: Self, { channel, thread: ofThread }: Place, ts: string): string {
  const page = `${self.url}archives/${channel}/p${ts.replace(".", "")}`;
  return ofThread === undefined ? page : `${page}?thread_ts=${ofThread}&cid=${channel}`;
}

function requiredPlace(target: ThreadTarget): Place {
  const place = placeOf(target);
  if (place) return place;
  throw new TypeError("a report needs a channel of Slack");
}

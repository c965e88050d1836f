import type { SlackClient } from "./client.ts";
import { windows } from "./limits.ts";
import { readPage, type SlackMessage } from "./messages.ts";
import type { Place } from "./place.ts";

interface Reading {
  place: Place & { thread: string };
  /** The `ts` of the newest message to read. */
  latest: string;
  doing: string;
  /** Whether the messages that were read so far are enough; called after each call. */
  isEnough(messages: ReadonlyMap<string, SlackMessage>): boolean;
}

/**
 * Reads the newest messages of a thread, and its first message. Slack returns a thread from its first message on and has no other order, so a
 * long thread is read in windows of time, the newest one first, until the messages are enough. Messages that Slack returns twice are there once.
 */
export async function readNewest(
  client: SlackClient,
  reading: Reading,
  signal: AbortSignal,
): Promise<Map<string, SlackMessage>> {
  const first = Number(reading.place.thread);
  const messages = new Map<string, SlackMessage>();
  // The first window is the whole thread: most threads end here.
  let window: Window = {
    from: Math.min(first, Number(reading.latest)),
    end: Number(reading.latest),
    tooFar: undefined,
  };
  for (let calls = 0; calls < windows.most; calls++) {
    const { count, isWhole } = await readWindow({ client, reading, messages }, window, signal);
    if (isWhole && (window.from <= first || reading.isEnough(messages))) break;
    const next = isWhole ? windowBefore(window, count) : lastPartOf(window);
    window = { ...next, from: Math.max(first, next.from) };
  }
  return messages;
}

/** Reads a window with one call. If it has too many messages, only the first message of the thread is kept. */
async function readWindow(
  { client, reading, messages }: { client: SlackClient; reading: Reading; messages: Map<string, SlackMessage> },
  { from, end }: Window,
  signal: AbortSignal,
): Promise<{ count: number; isWhole: boolean }> {
  const { place, doing } = reading;
  const span = { oldest: from.toFixed(6), latest: end.toFixed(6) };
  const { messages: found = [], response_metadata } = await readPage(client, { place, span, doing }, signal);
  const isWhole = !response_metadata?.next_cursor;
  for (const message of found) {
    if (isWhole || message.ts === place.thread) messages.set(message.ts, message);
  }
  return { count: found.length, isWhole };
}

/** A window of time, in seconds. `tooFar`: a window from there had too many messages. */
interface Window {
  from: number;
  end: number;
  tooFar: number | undefined;
}

/** A window with too many messages is read again in its last part. */
function lastPartOf({ from, end }: Window): Window {
  return { from: end - Math.max(windows.leastS, (end - from) / windows.grow), end, tooFar: from };
}

/**
 * The window before one with `count` messages: as long as it takes for a window that is not quite full. After a silence, it goes at most half
 * of the way to where there are too many, so that the end of the messages before the silence is found as in a binary search.
 */
function windowBefore({ from, end, tooFar }: Window, count: number): Window {
  const factor = Math.min(windows.grow, Math.max(0.5, windows.aim / Math.max(1, count)));
  const before = from - (end - from) * factor;
  const isSilence = count < windows.aim / windows.grow;
  if (tooFar === undefined || !isSilence) return { from: before, end: from, tooFar: undefined };
  return { from: Math.max(before, (tooFar + from) / 2), end: from, tooFar };
}

import { describe, expect, it } from "vitest";
import { unexpected } from "../../shared/testing.ts";
import type { SlackClient } from "./client.ts";
import { pages, windows } from "./limits.ts";
import type { SlackMessage } from "./messages.ts";
import { readNewest } from "./newest.ts";

const start = 1_700_000_000;
const ts = (seconds: number): string => (start + seconds).toFixed(6);
const root = ts(0);

/**
 * A thread that answers as Slack does: the first message, then those of the span, oldest first, and a cursor if there are more than a page.
 * `rootOnce`: the first message comes only if the span has it.
 */
function threadOf(seconds: readonly number[], { rootOnce = false } = {}) {
  const replies = seconds.map((at): SlackMessage => ({ ts: ts(at), thread_ts: root, text: `at ${at}` }));
  let calls = 0;
  const call = async (_call: object): Promise<unknown> => {
    calls++;
    const { args } = _call as { args: { oldest: string; latest: string; limit: number } };
    const inSpan = replies.filter(
      (reply) => Number(reply.ts) >= Number(args.oldest) && Number(reply.ts) <= Number(args.latest),
    );
    const withRoot = !rootOnce || Number(args.oldest) <= Number(root);
    const all = [...(withRoot ? [{ ts: root, text: "It broke" }] : []), ...inSpan];
    const next_cursor = all.length > args.limit ? "more" : "";
    return { messages: all.slice(0, args.limit), response_metadata: { next_cursor } };
  };
  const client: SlackClient = {
    settings: unexpected("settings") as never,
    call: call as SlackClient["call"],
    ask: () => 0,
  };
  const read = async (most: number) => {
    const place = { channel: "C1", thread: root };
    const reading = {
      place,
      latest: replies.at(-1)?.ts ?? root,
      doing: "read",
      isEnough: ({ size }: { size: number }) => size >= most,
    };
    const found = await readNewest(client, reading, new AbortController().signal);
    return { texts: [...found.values()].sort((a, b) => Number(a.ts) - Number(b.ts)).map(({ text }) => text), calls };
  };
  return { read, newest: (count: number) => replies.slice(-count).map(({ text }) => text) };
}

const evenly = Array.from({ length: 10_000 }, (_, at) => at + 1);
/** 9,000 messages within an hour, silence for a month, and a burst of 1,000 within two minutes. */
const inBursts = [
  ...Array.from({ length: 9_000 }, (_, at) => 1 + at * 0.4),
  ...Array.from({ length: 1_000 }, (_, at) => 2_592_000 + at * 0.12),
];
const endsWithSilence = [...Array.from({ length: 9_999 }, (_, at) => 1 + at), 31_536_000];

describe("reading a thread of 10,000 messages", () => {
  it.each([
    ["that are spread evenly", evenly],
    ["in two bursts", inBursts],
    ["of which the last one came a year later", endsWithSilence],
  ])("%s returns the first message and the newest ones, without a gap", async (_what, seconds) => {
    const thread = threadOf(seconds);
    const { texts, calls } = await thread.read(500);
    expect(texts[0]).toBe("It broke");
    expect(texts.length).toBeGreaterThanOrEqual(500);
    expect(texts.slice(1)).toEqual(thread.newest(texts.length - 1));
    expect(calls).toBeLessThanOrEqual(windows.most - 5);
  });

  it("has the first message also if Slack returns it only with the span that begins the thread", async () => {
    const thread = threadOf(evenly, { rootOnce: true });
    const { texts } = await thread.read(500);
    expect(texts[0]).toBe("It broke");
    expect(texts.slice(1)).toEqual(thread.newest(texts.length - 1));
  });

  it("stops after a bounded number of calls, and has the newest messages", async () => {
    const thread = threadOf(evenly);
    const { texts, calls } = await thread.read(Infinity);
    expect(calls).toBe(windows.most);
    expect(texts.length).toBeGreaterThan(2_000);
    expect(texts.slice(1)).toEqual(thread.newest(texts.length - 1));
  });
});

it("reads a thread of one page with one call", async () => {
  const { texts, calls } = await threadOf(evenly.slice(0, pages.size - 1)).read(1);
  expect({ count: texts.length, calls }).toEqual({ count: pages.size, calls: 1 });
});

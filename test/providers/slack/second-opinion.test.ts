import { WebClient } from "@slack/web-api";
import { createEmulator } from "emulate";
import type { Emulator } from "emulate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contradictions } from "../github/testing.ts";
import { startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { populate, silent } from "./testing.ts";

/*
 * Compares the stand-in with npm `emulate`'s Slack, which others wrote: both get the same calls of @slack/web-api, and the test compares
 * errors and shapes. Limits of `emulate`: no user groups, interactions, commands, Socket Mode, block limits and edits by others; it cuts a
 * text of more than 40,000 characters and says so, where the stand-in refuses it with Slack's msg_too_long. The test does not compare
 * these, or expects the difference (`differs`).
 */

interface Side {
  web: WebClient;
  channel: string;
  user: string;
}

type Outcome = Record<string, unknown> & { error?: string; ts?: string };
type Ask = (side: Side) => Promise<unknown>;

let slack: SlackStandIn;
let emulator: Emulator;
let ours: Side;
let theirs: Side;

beforeAll(async () => {
  slack = await startSlack({ plainHttp: true });
  const { token } = await populate(slack);
  await slack.people.setScopes({ scopes: [...slack.app().scopes, "reactions:read"] });
  ours = await side(slack.apiUrl, token);
  emulator = await createEmulator({ service: "slack", port: 0, seed });
  theirs = await side(`${emulator.url}/api/`, "xoxb-emulate");
});
afterAll(async () => {
  await slack?.close();
  await emulator?.close();
});

const seed = {
  slack: {
    team: { name: "acme", domain: "acme" },
    users: [{ name: "ana" }, { name: "ben" }],
    channels: [{ name: "shop" }],
    tokens: [{ token: "xoxb-emulate", type: "bot", user: "ana" }],
  },
};

async function side(slackApiUrl: string, token: string): Promise<Side> {
  const web = new WebClient(token, { slackApiUrl, retryConfig: { retries: 0 }, logger: silent });
  const { channels } = await web.conversations.list({});
  const { members } = await web.users.list({});
  const channel = channels?.find(({ name }) => name === "shop")?.id ?? "";
  const user = members?.find(({ name }) => name === "ben")?.id ?? "";
  return { web, channel, user };
}

async function outcome(call: Promise<unknown>): Promise<Outcome> {
  try {
    return (await call) as Outcome;
  } catch (error) {
    return (error as { data: Outcome }).data;
  }
}

/** Fields of `emulate` that Slack's own description does not have. */
const theirOwn = new Set(["response_metadata", "warning"]);

/** Sends the same call to both and compares the answers; returns both for the next step. */
async function same(ask: Ask): Promise<{ mine: Outcome; other: Outcome }> {
  const [mine, other] = [await outcome(ask(ours)), await outcome(ask(theirs))];
  expect({ error: mine.error }).toEqual({ error: other.error });
  expect(contradictions(mine, other)).toEqual([]);
  expect(Object.keys(other).filter((key) => !(key in mine) && !theirOwn.has(key))).toEqual([]);
  return { mine, other };
}

/** Sends the same call to both and checks the two errors, for calls where `emulate` differs from Slack. */
async function differs(ask: Ask, errors: [mine: string | undefined, other: string | undefined]): Promise<void> {
  expect([(await outcome(ask(ours))).error, (await outcome(ask(theirs))).error]).toEqual(errors);
}

describe("the stand-in and emulate agree about", () => {
  it("the token, the workspace, people and channels", async () => {
    await same(({ web }) => web.auth.test());
    await same(({ web }) => web.team.info());
    await same(({ web, user }) => web.users.info({ user }));
    await same(({ web }) => web.users.info({ user: "U000" }));
    await same(({ web }) => web.users.list({}));
    await same(({ web }) => web.conversations.list({}));
    await same(({ web, channel }) => web.conversations.info({ channel }));
    await same(({ web }) => web.conversations.info({ channel: "C0000000000" }));
    await same(({ web, channel }) => web.conversations.members({ channel }));
    await same(({ web, user }) => web.conversations.open({ users: user }));
  });

  it("messages, threads and reactions", async () => {
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "x" } }];
    const metadata = { event_type: "report", event_payload: { task: "a" } };
    const posted = await same(({ web, channel }) => web.chat.postMessage({ channel, text: "x", blocks, metadata }));
    const ts = (at: Side): string => String((at === ours ? posted.mine : posted.other).ts);
    await same((at) => at.web.chat.postMessage({ channel: at.channel, text: "y", thread_ts: ts(at) }));
    await same((at) => at.web.chat.update({ channel: at.channel, ts: ts(at), text: "z" }));
    await same((at) => at.web.conversations.replies({ channel: at.channel, ts: ts(at) }));
    await same((at) => at.web.conversations.history({ channel: at.channel, limit: 1 }));
    const eyes = (at: Side) => ({ channel: at.channel, timestamp: ts(at), name: "eyes" });
    await same((at) => at.web.reactions.add(eyes(at)));
    await same((at) => at.web.reactions.add(eyes(at)));
    await same((at) => at.web.reactions.get(eyes(at)));
    await same((at) => at.web.reactions.remove(eyes(at)));
    await same((at) => at.web.reactions.remove(eyes(at)));
    await same((at) => at.web.chat.getPermalink({ channel: at.channel, message_ts: ts(at) }));
    await same(({ web, channel, user }) => web.chat.postEphemeral({ channel, user, text: "x" }));
    await same((at) => at.web.chat.delete({ channel: at.channel, ts: ts(at) }));
    await same((at) => at.web.chat.delete({ channel: at.channel, ts: ts(at) }));
    await same((at) => at.web.chat.update({ channel: at.channel, ts: ts(at), text: "z" }));
  });

  it("refused messages", async () => {
    await same(({ web, channel }) => web.chat.postMessage({ channel, text: "" }));
    await same(({ web }) => web.chat.postMessage({ channel: "C0000000000", text: "x" }));
    await differs(
      ({ web, channel }) => web.chat.postMessage({ channel, text: "x".repeat(40_001) }),
      ["msg_too_long", undefined],
    );
    const thread_ts = "1700000000.000001";
    await differs(
      ({ web, channel }) => web.chat.postMessage({ channel, text: "x", thread_ts }),
      ["thread_not_found", undefined],
    );
  });
});

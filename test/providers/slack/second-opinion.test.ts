import { readFileSync } from "node:fs";
import { WebClient, type View } from "@slack/web-api";
import { createEmulator } from "emulate";
import type { Emulator } from "emulate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contradictions } from "../github/testing.ts";
import { methods } from "./api/table.ts";
import { startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { populate, silent } from "./testing.ts";

/*
 * Compares the stand-in with npm `emulate`'s Slack, which others wrote: both get the same calls of @slack/web-api, and the test compares
 * errors and shapes. Limits of `emulate`: no methods of `emulateLacks`, interactions, commands, Socket Mode, block limits and edits by others; it cuts a
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

/** The methods of the stand-in that `emulate` answers with 404. Only the description checks them. */
const emulateLacks = [
  "api.test",
  "apps.connections.open",
  "apps.uninstall",
  "auth.revoke",
  "usergroups.list",
  "usergroups.users.list",
  "users.conversations",
];

let slack: SlackStandIn;
let emulator: Emulator;
let ours: Side;
let theirs: Side;

beforeAll(async () => {
  slack = await startSlack({ plainHttp: true });
  const { token } = await populate(slack);
  slack.app().redirectUrls.push(redirect);
  await slack.people.setScopes({
    scopes: [...slack.app().scopes, "reactions:read", "users:read.email", "channels:join"],
  });
  ours = await side(slack.apiUrl, token);
  emulator = await createEmulator({ service: "slack", port: 0, seed });
  theirs = await side(`${emulator.url}/api/`, "xoxb-emulate");
});
afterAll(async () => {
  await slack?.close();
  await emulator?.close();
});

const redirect = "https://bellhop.example/slack/callback";
const theirApp = { client_id: "1.2", client_secret: "s", bot_id: "B0BOT", bot_user_id: "U0BOT", bot_name: "bellhop" };
const seed = {
  slack: {
    team: { name: "acme", domain: "acme" },
    users: [{ name: "ana" }, { name: "ben" }],
    channels: [{ name: "shop" }, { name: "elsewhere" }],
    oauth_apps: [{ ...theirApp, name: "bellhop", redirect_uris: [redirect], scopes: ["chat:write"] }],
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

  it("people and bots that are looked up", async () => {
    await same(async ({ web, user }) => {
      const { user: found } = await web.users.info({ user });
      return web.users.lookupByEmail({ email: found?.profile?.email ?? "" });
    });
    await same(({ web }) => web.users.lookupByEmail({ email: "nobody@acme.example" }));
    const bot = (at: Side): string => (at === ours ? (slack.installation().bot.bot?.id ?? "") : theirApp.bot_id);
    await same((at) => at.web.bots.info({ bot: bot(at) }));
    await same(({ web }) => web.bots.info({ bot: "B0000" }));
    await same(({ web }) => web.users.list({ limit: 1 }));
  });

  it("channels that are joined, read and opened", async () => {
    const elsewhere = async ({ web }: Side): Promise<string> => {
      const { channels } = await web.conversations.list({ exclude_archived: true, types: "public_channel" });
      return channels?.find(({ name }) => name === "elsewhere")?.id ?? "";
    };
    await same(async (at) => at.web.conversations.join({ channel: await elsewhere(at) }));
    await same(async (at) => at.web.conversations.join({ channel: await elsewhere(at) }));
    const channel = "C0000000000";
    await same(({ web }) => web.conversations.join({ channel }));
    await same(({ web }) => web.conversations.history({ channel }));
    await same(({ web }) => web.conversations.replies({ channel, ts: "1700000000.000001" }));
    // The description lists this error for the method.
    await differs(
      (at) => at.web.conversations.replies({ channel: at.channel, ts: "1700000000.000001" }),
      ["thread_not_found", undefined],
    );
    await same(({ web }) => web.conversations.members({ channel }));
    await same(({ web }) => web.conversations.open({ users: "U0000" }));
    await same(({ web }) => web.conversations.list({ limit: 1 }));
    await same((at) => at.web.conversations.members({ channel: at.channel, limit: 1 }));
  });

  it("messages that one person sees", async () => {
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "x" } }];
    const text = "x";
    await same(({ web, channel, user }) => web.chat.postEphemeral({ channel, user, text, blocks }));
    await same(async ({ web, channel, user }) => {
      const { ts: thread_ts = "" } = await web.chat.postMessage({ channel, text });
      return web.chat.postEphemeral({ channel, user, text, thread_ts });
    });
    await same(({ web, user }) => web.chat.postEphemeral({ channel: "C0000000000", user, text }));
    // The description has no `user_not_found` for this method.
    await differs(
      ({ web, channel }) => web.chat.postEphemeral({ channel, user: "U0000", text }),
      ["user_not_in_channel", "user_not_found"],
    );
    await same(({ web, channel, user }) => web.chat.postEphemeral({ channel, user, text: "" }));
  });

  it("messages that do not exist", async () => {
    const [ts, timestamp] = ["1700000000.000001", "1700000000.000001"];
    await same(({ web, channel }) => web.chat.getPermalink({ channel, message_ts: ts }));
    await same(({ web, channel }) => web.chat.update({ channel, ts, text: "x" }));
    await same(({ web, channel }) => web.chat.delete({ channel, ts }));
    await same(({ web, channel }) => web.reactions.add({ channel, timestamp, name: "eyes" }));
    await same(({ web, channel }) => web.reactions.remove({ channel, timestamp, name: "eyes" }));
    await same(({ web, channel }) => web.reactions.get({ channel, timestamp }));
  });

  it("modals that cannot be shown", async () => {
    const view = { type: "modal", title: { type: "plain_text", text: "x" }, blocks: [] } satisfies View;
    await same(({ web }) => web.views.open({ trigger_id: "1.2.a", view }));
    await same(({ web }) => web.views.update({ view_id: "V0000", view }));
  });

  it("the exchange of a code for a token", async () => {
    const clientOf = (at: Side): { client_id: string; client_secret: string } =>
      at === ours
        ? { client_id: slack.app().clientId, client_secret: slack.app().clientSecret }
        : { client_id: theirApp.client_id, client_secret: theirApp.client_secret };
    const exchange = async (at: Side, more: object = {}): Promise<unknown> =>
      at.web.oauth.v2.access({ code: await codeOf(at), redirect_uri: redirect, ...clientOf(at), ...more });
    const { mine, other } = await same((at) => exchange(at));
    for (const [{ web }, { access_token: token }] of [
      [ours, mine],
      [theirs, other],
    ] as const)
      expect(
        await outcome(new WebClient(String(token), { slackApiUrl: web.slackApiUrl, logger: silent }).auth.test()),
      ).toMatchObject({ ok: true, user: "bellhop" });
    await same((at) => exchange(at, { code: "no such code" }));
    await same((at) => exchange(at, { client_id: "0.0" }));
    await same((at) => exchange(at, { redirect_uri: "https://evil.example" }));
    // The description lists no errors for this method; for the same secret of apps.uninstall it has this one.
    await differs((at) => exchange(at, { client_secret: "x" }), ["bad_client_secret", "invalid_client_id"]);
  });
});

/** The code that a browser brings back after ana approved the installation. */
async function codeOf(at: Side): Promise<string> {
  const query = {
    client_id: at === ours ? slack.app().clientId : theirApp.client_id,
    scope: "chat:write",
    redirect_uri: redirect,
  };
  const path = `/oauth/v2/authorize?${new URLSearchParams(query).toString()}`;
  if (at === ours) return codeIn(await slack.people.approveInstall({ as: "ana", url: `${slack.url}${path}` }));
  const { members } = await at.web.users.list({});
  const user_id = members?.find(({ name }) => name === "ana")?.id ?? "";
  const body = new URLSearchParams({ ...query, user_id });
  const answer = await fetch(`${emulator.url}/oauth/v2/authorize/callback`, {
    method: "POST",
    body,
    redirect: "manual",
  });
  return codeIn(answer.headers.get("location") ?? "");
}

function codeIn(address: string): string {
  return new URL(address).searchParams.get("code") ?? "";
}

describe("the methods of the stand-in", () => {
  it("are compared with emulate, unless it does not have them", async () => {
    const has = async (name: string): Promise<boolean> => {
      const headers = { authorization: "Bearer xoxb-emulate" };
      const { status } = await fetch(`${emulator.url}/api/${name}`, { method: "POST", headers });
      return status !== 404;
    };
    const known = await Promise.all(methods.map(async ({ name }) => ({ name, isKnown: await has(name) })));
    const lacking = known.filter(({ isKnown }) => !isKnown).map(({ name }) => name);
    expect(lacking.sort()).toEqual(emulateLacks);
    const test = readFileSync(import.meta.filename, "utf8");
    const compared = methods.map(({ name }) => name).filter((name) => test.includes(`web.${name}(`));
    expect([...compared, ...emulateLacks].sort()).toEqual(methods.map(({ name }) => name).sort());
  });
});

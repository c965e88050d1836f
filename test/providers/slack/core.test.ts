import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebClient } from "@slack/web-api";
import { startSlack } from "./index.ts";
import type { SlackStandIn } from "./index.ts";
import { client, populate } from "./testing.ts";

let slack: SlackStandIn;
let web: WebClient;
let shop: string;
let secret: string;

beforeAll(async () => {
  slack = await startSlack();
  await populate(slack);
  web = client(slack);
  const { channels } = await web.users.conversations({ types: "public_channel,private_channel" });
  const id = (name: string): string => channels?.find((channel) => channel.name === name)?.id ?? "";
  [shop, secret] = [id("shop"), id("secret")];
});
afterAll(() => slack.close());

/** The error code of a refused call. */
async function errorOf(call: Promise<unknown>): Promise<string> {
  const error = (await call.catch((thrown: unknown) => thrown)) as { data?: { error?: string } };
  return error.data?.error ?? "no error";
}

describe("the Web API over HTTPS, called by @slack/web-api", () => {
  it("names the bot and its workspace", async () => {
    const { team, user, bot_id, response_metadata } = await web.auth.test();
    expect({ team, user }).toEqual({ team: "acme", user: "bellhop" });
    expect(bot_id).toMatch(/^B/);
    expect(response_metadata?.scopes).toContain("chat:write");
  });

  it("posts a message with blocks and metadata, edits it, and returns it with its thread", async () => {
    const metadata = { event_type: "report", event_payload: { task: "a" } };
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "working" } }];
    const posted = await web.chat.postMessage({
      channel: shop,
      text: "working",
      blocks,
      metadata,
      unfurl_links: false,
    });
    const thread_ts = posted.ts ?? "";
    await web.chat.postMessage({ channel: shop, text: "a reply", thread_ts });
    await web.chat.update({ channel: shop, ts: thread_ts, text: "done" });
    const read = await web.conversations.replies({ channel: shop, ts: thread_ts, include_all_metadata: true });
    expect(read.messages?.map(({ text }) => text)).toEqual(["done", "a reply"]);
    expect(read.messages?.[0]).toMatchObject({ metadata, reply_count: 1, edited: {}, blocks: [{ type: "section" }] });
    const bare = await web.conversations.replies({ channel: shop, ts: thread_ts });
    expect(bare.messages?.[0]).not.toHaveProperty("metadata");
    const [seen] = slack.messages("shop", { thread: thread_ts });
    expect(seen).toMatchObject({ text: "done", edited: true, unfurls: { links: false } });
  });

  it("keeps blocks in an update without blocks, and removes them in an update with an empty list", async () => {
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "x" } }];
    const { ts = "" } = await web.chat.postMessage({ channel: shop, text: "x", blocks });
    const kept = await web.chat.update({ channel: shop, ts, text: "y" });
    expect(kept.message).toMatchObject({ text: "y", blocks: [{}] });
    const removed = await web.chat.update({ channel: shop, ts, text: "z", blocks: [] });
    expect(removed.message).not.toHaveProperty("blocks");
  });

  it("refuses what Slack refuses", async () => {
    const { chat } = web;
    const section = (text: string) => ({ type: "section" as const, text: { type: "mrkdwn" as const, text } });
    const post = (given: object): Promise<string> => errorOf(chat.postMessage({ channel: shop, ...given } as never));
    expect(await post({ text: "x".repeat(40_001) })).toBe("msg_too_long");
    expect(await post({ text: " " })).toBe("no_text");
    expect(await post({ blocks: Array.from({ length: 51 }, () => section("x")) })).toBe("invalid_blocks");
    expect(await post({ blocks: [section("x".repeat(3_001))] })).toBe("invalid_blocks");
    expect(await post({ blocks: Array.from({ length: 5 }, () => section("x".repeat(2_900))) })).toBe(
      "msg_blocks_too_long",
    );
    expect(await post({ blocks: [{ type: "sparkle" }] })).toBe("invalid_blocks");
    expect(await post({ text: "x", thread_ts: "1700000000.000001" })).toBe("thread_not_found");
    expect(await post({ text: "x", markdown_text: "x" })).toBe("markdown_text_conflict");
    expect(await post({ channel: "C0000000000", text: "x" })).toBe("channel_not_found");
    const { ts = "" } = await chat.postMessage({ channel: shop, text: "x" });
    expect(await errorOf(chat.update({ channel: shop, ts, text: "é".repeat(2_001) }))).toBe("msg_too_long");
    expect(await errorOf(chat.update({ channel: shop, ts, text: "<".repeat(1_001) }))).toBe("msg_too_long");
    await chat.update({ channel: shop, ts, text: "&lt;".repeat(1_000) });
    expect(await errorOf(chat.update({ channel: shop, ts: "1700000000.000001", text: "x" }))).toBe("message_not_found");
  });

  it("does not find private channels without the bot, and needs membership to write to public ones", async () => {
    const hidden = await slack.people.createChannel({ name: "hidden", private: true, members: ["ben"] });
    expect(await errorOf(web.conversations.info({ channel: hidden.id }))).toBe("channel_not_found");
    const { channels = [] } = await web.conversations.list();
    const elsewhere = channels.find(({ name }) => name === "elsewhere")?.id ?? "";
    expect(await errorOf(web.chat.postMessage({ channel: elsewhere, text: "x" }))).toBe("not_in_channel");
    expect(await errorOf(web.conversations.history({ channel: elsewhere }))).toBe("not_in_channel");
    expect((await web.conversations.info({ channel: secret })).channel).toMatchObject({ is_private: true });
  });

  it("writes to a person's direct messages by the person's id", async () => {
    const ana = slack.installation().installedBy;
    const { channel = "" } = await web.chat.postMessage({ channel: ana.id, text: "in private" });
    expect(channel).toMatch(/^D/);
    expect((await web.conversations.info({ channel })).channel).toMatchObject({ is_im: true, user: ana.id });
  });

  it("shows the deleted first message of a thread as a tombstone, and no other deleted message", async () => {
    const { ts = "" } = await web.chat.postMessage({ channel: shop, text: "first" });
    const reply = await web.chat.postMessage({ channel: shop, text: "a reply", thread_ts: ts });
    await web.chat.delete({ channel: shop, ts });
    const read = await web.conversations.replies({ channel: shop, ts });
    expect(read.messages).toMatchObject([{ subtype: "tombstone", user: "USLACKBOT" }, { text: "a reply" }]);
    await web.chat.delete({ channel: shop, ts: reply.ts ?? "" });
    expect(await errorOf(web.conversations.replies({ channel: shop, ts }))).toBe("thread_not_found");
  });

  it("refuses to write to an archived channel", async () => {
    const { id } = await slack.people.createChannel({ name: "old", members: ["ana", "bellhop"] });
    await slack.people.archive({ channel: "old" });
    expect(await errorOf(web.chat.postMessage({ channel: id, text: "x" }))).toBe("is_archived");
    expect((await web.conversations.info({ channel: id })).channel).toMatchObject({ is_archived: true });
  });

  it("adds a reaction once", async () => {
    const { ts: timestamp } = await slack.person("ana").posts("shop", "hello");
    const eyes = { channel: shop, timestamp, name: "eyes" };
    await web.reactions.add(eyes);
    expect(await errorOf(web.reactions.add(eyes))).toBe("already_reacted");
    expect(slack.messages("shop").at(-1)?.reactions).toEqual(["eyes"]);
    await web.reactions.remove(eyes);
    expect(await errorOf(web.reactions.remove(eyes))).toBe("no_reaction");
  });

  it("shows ephemeral messages to one person only", async () => {
    const ana = (await web.users.list({})).members?.find(({ name }) => name === "ana")?.id ?? "";
    await web.chat.postEphemeral({ channel: shop, user: ana, text: "only you" });
    const last = (as?: string) => slack.messages("shop", as === undefined ? {} : { as }).at(-1)?.text;
    expect(last("ana")).toBe("only you");
    expect([last("ben"), last()]).not.toContain("only you");
    const { messages = [] } = await web.conversations.history({ channel: shop });
    expect(messages.map(({ text }) => text)).not.toContain("only you");
  });

  it("pages by cursor", async () => {
    const { id } = await slack.people.createChannel({ name: "long", members: ["ana", "bellhop"] });
    for (let at = 0; at < 5; at++) await slack.person("ana").posts("long", `m${at}`);
    const texts: string[] = [];
    for await (const page of web.paginate("conversations.history", { channel: id, limit: 2 }))
      texts.push(...((page as { messages?: { text: string }[] }).messages ?? []).map(({ text }) => text));
    expect(texts).toEqual(["m4", "m3", "m2", "m1", "m0"]);
    const { messages = [] } = await web.conversations.history({ channel: id });
    const oldest = messages[2]?.ts ?? "";
    const newer = await web.conversations.history({ channel: id, oldest });
    expect(newer.messages?.map(({ text }) => text)).toEqual(["m4", "m3"]);
    expect(await errorOf(web.conversations.history({ channel: id, cursor: "nonsense" }))).toBe("invalid_cursor");
  });

  it("shows guests, deactivated people and strangers as such", async () => {
    const { people } = slack;
    const gus = (await web.users.list({})).members?.find(({ name }) => name === "gus");
    expect(gus).toMatchObject({ is_restricted: true, is_ultra_restricted: false, is_bot: false });
    await people.createTeam({ domain: "partner" });
    const stranger = await people.createUser({ name: "sam", team: "partner" });
    expect(await errorOf(web.users.info({ user: stranger.id }))).toBe("user_not_visible");
    await people.createChannel({ name: "joint", members: ["ana", "sam", "bellhop"], sharedWith: ["partner"] });
    expect((await web.users.info({ user: stranger.id })).user).toMatchObject({
      is_stranger: true,
      team_id: stranger.team.id,
    });
    const { id } = await people.createUser({ name: "gone" });
    await people.deactivate({ name: "gone" });
    expect((await web.users.info({ user: id })).user).toMatchObject({ deleted: true });
    expect(await errorOf(web.users.info({ user: "U000" }))).toBe("user_not_found");
  });

  it("returns the members of user groups and channels", async () => {
    const { people } = slack;
    const group = await people.createUserGroup({ handle: "devs", members: ["ana", "ben"] });
    const { users } = await web.usergroups.users.list({ usergroup: group.id });
    expect(users).toHaveLength(2);
    const { members } = await web.conversations.members({ channel: secret });
    expect(members).toContain(users?.[0]);
    expect(await errorOf(web.usergroups.users.list({ usergroup: "S000" }))).toBe("no_such_subteam");
  });

  it("obeys Slack's description in everything above", () => slack.assertClean());
});

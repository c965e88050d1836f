import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { failing } from "../../../test/providers/slack/index.ts";
import { startSlackSignedIn, type SlackSignedIn } from "../../../test/providers/slack/signed-in.ts";
import type { Source, Thread, ThreadTarget } from "../connection.ts";
import type { Report } from "../report.ts";

/** A person in a channel with the bot, and in two channels without it. */
let world: SlackSignedIn;
let thread: Thread;
let source: Source;
let zoe: string;
const patiently = new AbortController().signal;
const channels: Record<string, string> = {};

beforeAll(async () => {
  world = await startSlackSignedIn();
  ({ thread, source } = await world.connect());
  const { people } = world.slack;
  zoe = (await people.createUser({ name: "zoe" })).id;
  const created = [
    await people.createChannel({ name: "home", members: ["zoe", "ben", "bellhop"] }),
    await people.createChannel({ name: "open", members: ["zoe", "ben"] }),
    await people.createChannel({ name: "closed", private: true, members: ["zoe"] }),
  ];
  for (const { id, name } of created) channels[name] = id;
  channels["direct"] = (await people.openDirectMessage({ members: ["zoe", "bellhop"] })).id;
  channels["people"] = (await people.openDirectMessage({ members: ["zoe", "ben"] })).id;
}, 60_000);
afterAll(async () => {
  expect(world.slack.violations).toEqual([]);
  await world.close();
});
afterEach(() => world.slack.clearFailures());

const target = (channel: string): ThreadTarget => ({
  source: {
    provider: "slack",
    instance: world.team,
    cause: `slack/command/${world.team}/1.2.a`,
    subject: { type: "Thread", key: `#${channel}` },
    object: { type: "Command", id: "1.2.a" },
    signal: { type: "SlashCommand" },
    channel: channels[channel],
  },
  conversation: `${world.team}/${channels[channel]}/slash/0123456789abcdef`,
});
const report = (): Report => ({
  blocks: [{ line: ["2 requests."] }, { list: [[{ strong: "Done" }], [{ untrusted: "<!channel>" }]], numbered: true }],
  task: "slack-abc",
  over: true,
  actions: [],
  requester: { id: zoe, login: "zoe" },
});
const answer = (channel: string) => thread.answer?.(target(channel), report(), patiently);
const seenBy = (name: string, channel: string) =>
  world.slack.messages(channel, { as: name }).filter(({ author }) => author === "bellhop");

describe("the answer to one person", () => {
  it.each(["home", "direct"])("is seen only by them in a place of the bot: %s", async (channel) => {
    const at = channels[channel] ?? "";
    await answer(channel);
    expect(seenBy("zoe", at)).toMatchObject([
      { ephemeral: true, shown: expect.stringContaining("<!channel>") as string },
    ]);
    expect(seenBy(channel === "home" ? "ben" : "bellhop", at)).toEqual([]);
    expect(JSON.stringify(seenBy("zoe", at)[0]?.blocks)).toContain('"style":"ordered"');
  });

  it.each(["open", "closed", "people"])("is a direct message if the bot is not in the channel: %s", async (channel) => {
    const before = world.slack.messages(channels["direct"] ?? "").length;
    await answer(channel);
    const direct = world.slack.messages(channels["direct"] ?? "");
    expect(direct).toHaveLength(before + 1);
    expect(direct.at(-1)).toMatchObject({
      ephemeral: false,
      author: "bellhop",
      unfurls: { links: false, media: false },
    });
    expect(seenBy("zoe", channels[channel] ?? "")).toEqual([]);
  });

  it("fails with the missing scope if the token may not write direct messages", async () => {
    world.slack.fail({ method: "conversations.open" }, failing.error("missing_scope"));
    await expect(answer("open")).rejects.toMatchObject({
      failure: "Forbidden",
      message: expect.stringMatching(/scope/) as string,
    });
  });

  it("is not repeated as a direct message after a failure that may pass", async () => {
    world.slack.fail({ method: "chat.postEphemeral" }, failing.error("fatal_error"));
    const before = world.slack.calls("conversations.open").length;
    await expect(answer("home")).rejects.toMatchObject({ failure: "Unavailable" });
    expect(world.slack.calls("conversations.open")).toHaveLength(before);
  });
});

describe("the place of a slash command", () => {
  it.each([
    ["home", { private: false }],
    ["direct", { private: true, direct: true }],
  ])("can show a report in %s", async (channel, wanted) => {
    const found = await source.reread(target(channel), patiently);
    expect(found).toMatchObject({ found: true, ...wanted });
    expect(found).not.toHaveProperty("unreachable");
  });

  it.each(["open", "closed", "people"])("can show none where the bot is not: %s", async (channel) => {
    expect(await source.reread(target(channel), patiently)).toMatchObject({
      found: true,
      unreachable: expect.stringMatching(
        new RegExp(`The bot is not in #${channel}, so nothing was started: .*/invite @bellhop`),
      ) as string,
    });
  });

  it("becomes the thread of the report", async () => {
    const posted = await thread.post(target("home"), report(), "task:1", patiently);
    expect(posted.conversation).toBe(`${world.team}/${channels["home"]}/${posted.id}`);
    expect(await thread.find(target("home"), "task:1", new Date(0), patiently)).toEqual(posted);
  });
});

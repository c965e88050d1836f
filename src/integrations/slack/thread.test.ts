import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aTarget, startSlackSignedIn, type SlackSignedIn } from "../../../test/providers/slack/signed-in.ts";
import { failing, type MessageRef, type SeenMessage } from "../../../test/providers/slack/index.ts";
import type { Thread, ThreadTarget } from "../connection.ts";
import type { Report } from "../report.ts";

let world: SlackSignedIn;
let thread: Thread;
let ana: string;
const patiently = new AbortController().signal;
const epoch = new Date(0);

beforeAll(async () => {
  world = await startSlackSignedIn();
  ({ thread } = await world.connect());
  const { id } = await world.slack.people.createUser({ name: "zoe" });
  ana = id;
  await world.slack.people.createChannel({ name: "home", members: ["zoe", "ben", "bellhop"] });
}, 60_000);
afterAll(async () => {
  expect(world.slack.violations).toEqual([]);
  await world.close();
});
afterEach(() => world.slack.clearFailures());

const asked = (text = "fix it"): Promise<MessageRef> => world.slack.person("zoe").mentions("home", text);
const targetOf = (message: MessageRef): ThreadTarget => aTarget(message, { team: world.team });
const report = (given: Partial<Report> = {}): Report => ({
  blocks: [{ line: [{ strong: "On it" }, " · ", { quote: "<!channel>" }] }],
  task: "shop-abc",
  over: false,
  actions: ["stop"],
  requester: { id: ana, login: "zoe" },
  ...given,
});
const replies = (message: MessageRef): SeenMessage[] =>
  world.slack.messages("home", { thread: message.ts }).filter(({ author }) => author === "bellhop");

describe("the reaction", () => {
  it("is added once, and a second time is no failure", async () => {
    const message = await asked();
    await thread.acknowledge?.(targetOf(message), patiently);
    await thread.acknowledge?.(targetOf(message), patiently);
    const seen = world.slack.messages("home").find(({ ts }) => ts === message.ts);
    expect(seen?.reactions).toEqual(["eyes"]);
  });

  it("is not added for a slash command, which has no message", async () => {
    const before = world.slack.calls("reactions.add").length;
    const target = targetOf(await asked());
    const source = { ...target.source, object: { type: "Command", id: "1.2.a" } } as const;
    await thread.acknowledge?.({ ...target, source }, patiently);
    expect(world.slack.calls("reactions.add")).toHaveLength(before);
  });

  it("fails if the message was deleted", async () => {
    const message = await asked();
    await world.slack.person("zoe").deletes(message);
    await expect(thread.acknowledge?.(targetOf(message), patiently)).rejects.toMatchObject({ failure: "NotFound" });
  });
});

describe("the question to one person", () => {
  const question = { task: "shop-abc", text: "Which repository <is> it?" };
  const seenBy = (name: string, message: MessageRef): SeenMessage[] =>
    world.slack.messages("home", { thread: message.ts, as: name }).filter(({ ephemeral }) => ephemeral);

  it("is a menu in the thread that nobody else sees, with nothing in it that acts", async () => {
    const message = await asked();
    await thread.post(targetOf(message), report(), "task:1", patiently);
    await thread.ask?.(targetOf(message), { ...question, person: ana }, patiently);
    expect(seenBy("zoe", message)).toMatchObject([
      {
        thread: message.ts,
        text: "Which repository &lt;is&gt; it?",
        blocks: [
          { block_id: "bellhop/use:shop-abc", accessory: { type: "external_select", action_id: "bellhop/use" } },
        ],
      },
    ]);
    expect(seenBy("ben", message)).toEqual([]);
    expect(world.slack.calls("chat.postEphemeral").at(-1)?.params).toMatchObject({
      parse: "none",
      link_names: "false",
    });
  });

  it("is refused for good if the person is not in the channel", async () => {
    const message = await asked();
    const stranger = await world.slack.people.createUser({ name: "eve" });
    await expect(
      thread.ask?.(targetOf(message), { ...question, person: stranger.id }, patiently),
    ).rejects.toMatchObject({
      failure: "Forbidden",
      message: expect.stringContaining("they have to join it") as string,
    });
  });
});

describe("the report", () => {
  it("is posted in the thread, with its marker, without previews of links", async () => {
    const message = await asked();
    const posted = await thread.post(targetOf(message), report(), "task:1", patiently);
    expect(replies(message)).toMatchObject([
      {
        ts: posted.id,
        thread: message.ts,
        text: "On it ·",
        metadata: { event_type: "bellhop_report", event_payload: { marker: "task:1" } },
        unfurls: { links: false, media: false },
      },
    ]);
    expect(posted.url).toBe(
      `https://acme.slack.com/archives/${message.channel}/p${posted.id.replace(".", "")}?thread_ts=${message.ts}&cid=${message.channel}`,
    );
    const [call] = world.slack.calls("chat.postMessage").slice(-1);
    expect(call?.params).toMatchObject({ parse: "none", link_names: "false" });
  });

  it("has untrusted text only as text", async () => {
    const message = await asked();
    await thread.post(targetOf(message), report(), "task:2", patiently);
    expect(JSON.stringify(replies(message)[0]?.blocks)).toContain('{"type":"text","text":"“<!channel>”"}');
  });

  it("is updated in place and keeps its marker", async () => {
    const message = await asked();
    const { id } = await thread.post(targetOf(message), report(), "task:3", patiently);
    const next = report({ blocks: [{ line: ["Half done"] }], actions: [] });
    await thread.update(targetOf(message), { id, marker: "task:3" }, next, patiently);
    expect(replies(message)).toMatchObject([
      { ts: id, text: "Half done", edited: true, metadata: { event_payload: { marker: "task:3" } } },
    ]);
    expect(JSON.stringify(replies(message)[0]?.blocks)).not.toContain("bellhop/stop");
    const [call] = world.slack.calls("chat.update").slice(-1);
    expect(call?.params).toMatchObject({ parse: "none", metadata: { event_payload: { marker: "task:3" } } });
  });

  it("ends with one reply that mentions the requester, even if the last update is repeated", async () => {
    const message = await asked();
    const { id } = await thread.post(targetOf(message), report(), "task:4", patiently);
    const last = report({ over: true, actions: ["retry"] });
    for (const _ of [1, 2]) await thread.update(targetOf(message), { id, marker: "task:4" }, last, patiently);
    const [, end, ...more] = replies(message);
    expect(more).toEqual([]);
    expect(JSON.stringify(end?.blocks)).toContain(`{"type":"user","user_id":"${ana}"}`);
  });

  it("posts the last reply after a failure between the update and the reply", async () => {
    const message = await asked();
    const { id } = await thread.post(targetOf(message), report(), "task:5", patiently);
    world.slack.fail({ method: "chat.postMessage" }, failing.error("fatal_error"), { times: 1 });
    const last = report({ over: true });
    const update = (): Promise<void> => thread.update(targetOf(message), { id, marker: "task:5" }, last, patiently);
    await expect(update()).rejects.toMatchObject({ failure: "Unavailable" });
    await update();
    expect(replies(message)).toHaveLength(2);
  });

  it("of a slash command is posted to the channel, and its end to the thread of the report", async () => {
    const { channel, ts } = await asked();
    const target: ThreadTarget = {
      source: {
        ...aTarget({ channel, ts }).source,
        object: { type: "Command", id: "1.2.a" },
        subject: { type: "Thread", key: "#home" },
      },
      conversation: `${world.team}/${channel}/slash/0123456789abcdef`,
    };
    expect(thread.has(target)).toBe(true);
    const posted = await thread.post(target, report(), "task:6", patiently);
    const { id, url } = posted;
    expect(url).toBe(`https://acme.slack.com/archives/${channel}/p${id.replace(".", "")}`);
    expect(await thread.find(target, "task:6", epoch, patiently)).toEqual(posted);
    await thread.update(target, { id, marker: "task:6" }, report({ over: true }), patiently);
    const [root, end] = world.slack.messages("home", { thread: id });
    expect(root?.thread).toBeUndefined();
    expect(end?.thread).toBe(id);
  });

  it("that is over at once notifies the requester of a slash command, and in a thread Slack does", async () => {
    const message = await asked();
    const over = report({ over: true });
    await thread.post(targetOf(message), over, "task:11", patiently);
    expect(replies(message)).toHaveLength(1);
    const target = { ...targetOf(message), conversation: `${world.team}/${message.channel}/slash/0123456789abcdef` };
    const source = {
      ...target.source,
      object: { type: "Command", id: "1.2.a" },
      subject: { type: "Thread", key: "#home" },
    } as const;
    const { id } = await thread.post({ ...target, source }, over, "task:12", patiently);
    expect(world.slack.messages("home", { thread: id })).toHaveLength(2);
  });

  it("cannot be posted without a channel", () => {
    const { source } = targetOf({ channel: "C1", ts: "1700000000.000100" });
    const elsewhere = { ...source, cause: "x", subject: { type: "Thread", key: "#home" }, object: undefined } as const;
    expect(thread.has({ source: elsewhere, conversation: "kubernetes" })).toBe(false);
  });
});

describe("finding the report", () => {
  it("finds our message by its marker, on any page", async () => {
    const message = await asked();
    for (let at = 0; at < 201; at++) await world.slack.person("ben").posts("home", `${at}`, { thread: message });
    const posted = await thread.post(targetOf(message), report(), "task:7", patiently);
    expect(await thread.find(targetOf(message), "task:7", epoch, patiently)).toEqual(posted);
    expect(await thread.find(targetOf(message), "task:8", epoch, patiently)).toBeUndefined();
  });

  it("finds it after an answer that was lost", async () => {
    const message = await asked();
    world.slack.fail({ method: "chat.postMessage" }, failing.dropAnswer(), { times: 1 });
    const { thread: other } = await world.connect();
    await expect(other.post(targetOf(message), report(), "task:9", patiently)).rejects.toMatchObject({
      failure: "Unavailable",
    });
    expect(await other.find(targetOf(message), "task:9", epoch, patiently)).toMatchObject({
      id: replies(message)[0]?.ts,
    });
  });

  it("finds it under every id of the bot user, which an organisation has one of in each workspace", async () => {
    const { bot } = world.slack.installation();
    const self = { ok: true, url: "https://acme.slack.com/", user: "bellhop", user_id: "U0ELSEWHERE" };
    const body = { ...self, team: "acme", team_id: world.team, bot_id: bot.bot?.id, is_enterprise_install: true };
    world.slack.fail({ method: "auth.test" }, { kind: "answer", status: 200, body });
    const { thread: ofOrganisation } = await world.connect();
    const message = await asked();
    const posted = await ofOrganisation.post(targetOf(message), report(), "task:13", patiently);
    expect(await ofOrganisation.find(targetOf(message), "task:13", epoch, patiently)).toEqual(posted);
    const last = report({ over: true });
    const update = (): Promise<void> =>
      ofOrganisation.update(targetOf(message), { id: posted.id, marker: "task:13" }, last, patiently);
    await update();
    await update();
    expect(replies(message)).toHaveLength(2);
  });

  it("finds nothing in a thread that is empty because its messages were deleted, so the report is posted there again", async () => {
    const message = await asked();
    const posted = await thread.post(targetOf(message), report(), "task:gone", patiently);
    await world.slack.person("zoe").deletes({ channel: message.channel, ts: posted.id });
    await world.slack.person("zoe").deletes(message);
    expect(await thread.find(targetOf(message), "task:gone", epoch, patiently)).toBeUndefined();
    await thread.post(targetOf(message), report(), "task:gone", patiently);
    expect(replies(message)).toHaveLength(1);
  });

  it("does not take the message of another app, which can write the same marker", async () => {
    const { people } = world.slack;
    await people.createApp({ name: "other" });
    const { token } = await people.installApp({ app: "other", by: "ana" });
    await people.createChannel({ name: "both", members: ["zoe", "bellhop", "other"] });
    const { thread: foreign } = await world.connect({ token });
    const message = await world.slack.person("zoe").posts("both", "fix it");
    await foreign.post(targetOf(message), report(), "task:10", patiently);
    expect(await thread.find(targetOf(message), "task:10", epoch, patiently)).toBeUndefined();
  });
});

describe("the excerpt", () => {
  it("leaves out the bot's mention, by the id in the integration's status", () => {
    expect(thread.excerpt(`<@${world.bot}> fix *it*`, "bellhop")).toBe("fix it");
  });
});

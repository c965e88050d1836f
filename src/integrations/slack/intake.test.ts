import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SlackApp } from "../../api/slack-app.ts";
import type { AgentTask } from "../../api/kinds.ts";
import type { Answer } from "../../intake/answer.ts";
import { compileRule } from "../../intake/cel.ts";
import { noFacts, threadKey, type IntegrationFacts } from "../../intake/gateway-facts.ts";
import { handleDelivery, type IntakeDeps } from "../../intake/handle-delivery.ts";
import type { Draft } from "../../kube/types.ts";
import { defined } from "../../shared/defined.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { shownText } from "../../../test/providers/slack/see.ts";
import type { Delivery, HttpReply } from "../ingress.ts";
import type { Provider } from "../provider.ts";
import { ingress } from "./ingress.ts";
import { covers, host } from "./scope.ts";
import { aFormDelivery, anEventDelivery, anInteractionDelivery, aSlackApp, bot, receivedAt } from "./testing.ts";

const secret = "the-signing-secret";
const slack: Provider<SlackApp> = {
  name: "slack",
  kind: "SlackApp",
  ingress,
  host,
  covers,
  connect: async () => {
    throw new Error("intake does not sign in");
  },
};
const entry = {
  route: "route-0123456789abcdef",
  provider: "slack",
  host: "slack.com",
  generation: 1,
  keys: [Buffer.from(secret).toString("base64")],
};
const signedIn = { bot, installations: [{ id: "T1", account: "acme" }] };

/** An answer to a slash command as the person sees it. */
function shownIn(reply: HttpReply | undefined): { response_type: string; text: string } {
  const { response_type, blocks } = JSON.parse(reply?.body ?? "{}");
  return { response_type, text: shownText({ blocks }) };
}

interface World {
  status?: SlackApp["status"];
  liveThreads?: string[];
  offered?: IntegrationFacts["offered"];
  suspend?: boolean;
  fail?: boolean;
  /** The integrations of the hook, with the channels that they cover; `liveThreads` above are of those that name none. */
  members?: { uid: string; channels?: string[]; liveThreads?: string[] }[];
}

/** Passes signed deliveries to intake, and returns the answers and the tasks. */
function world(given: World = {}) {
  const { status = signedIn, liveThreads = [], fail = false, members = [{ uid: "uid-1" }] } = given;
  const { offered = [], suspend = false } = given;
  const created: Draft<AgentTask>[] = [];
  const triggers = ["mention", "slashCommand"].map((kind) => ({ name: kind.toLowerCase(), [kind]: {} }));
  const memberOf = (uid: string) => members.find((one) => one.uid === uid);
  const deps: IntakeDeps = {
    provider: () => slack,
    integration: ({ uid }) => {
      const app = aSlackApp({ suspend, triggers, access: defined({ channels: memberOf(uid)?.channels }) });
      return { ...app, metadata: { ...app.metadata, uid }, status };
    },
    facts: (uid) => ({ ...noFacts, offered, liveThreads: (memberOf(uid)?.liveThreads ?? liveThreads).map(threadKey) }),
    compile: compileRule,
    clock: new FakeClock(receivedAt.toISOString()),
    client: {
      create: async (_, object) => {
        if (fail) throw new Error("the API server does not answer");
        created.push(object as never);
        return object as never;
      },
    },
  };
  const deliver = async (delivery: Delivery, key = secret): Promise<Answer> =>
    handleDelivery({
      entry: {
        ...entry,
        members: members.map(({ uid }) => ({ kind: "SlackApp", namespace: "team", name: "slack", uid })),
      },
      delivery: signed(delivery, key),
      deps,
      signal: new AbortController().signal,
    });
  return { created, deliver };
}

function signed(delivery: Delivery, key: string): Delivery {
  const time = delivery.headers.get("x-slack-request-timestamp") ?? "";
  const hex = createHmac("sha256", key).update(`v0:${time}:`).update(delivery.body).digest("hex");
  const get = (name: string) => (name === "x-slack-signature" ? `v0=${hex}` : delivery.headers.get(name));
  return { ...delivery, headers: { get } };
}

const message = { channel: "C1", channel_type: "channel", user: "U1", ts: "1767355200.000100" };
const aMessage = (event: object, team_id = "T1") =>
  anEventDelivery({
    type: "event_callback",
    team_id,
    event_id: "Ev1",
    event: { type: "message", ...message, ...event },
  });
const aCommand = (text: string) =>
  aFormDelivery({ command: "/bellhop", text, trigger_id: "1.2.a", team_id: "T1", channel_id: "C1", user_id: "U1" });
const mention = { type: "app_mention", text: "<@UBOT> fix it" };

describe("handleDelivery, with Slack", () => {
  it("creates one task for the two events of a mention", async () => {
    const { deliver, created } = world();
    for (const event of [mention, { ...mention, type: "message" }])
      expect(await deliver(aMessage(event))).toMatchObject({ status: 202, reply: { status: 200, body: "" } });
    expect(new Set(created.map(({ metadata }) => metadata.name)).size).toBe(1);
    expect(created[0]?.spec).toMatchObject({ conversation: "T1/C1/1767355200.000100", prompt: "fix it" });
  });

  it("takes a follow-up only in a thread of the integration that covers the channel, not of another one of the same hook", async () => {
    const thread = { text: "and the tests", thread_ts: "1767355100.000100" };
    const { deliver, created } = world({
      liveThreads: ["T1/C1/1767355100.000100"],
      members: [
        { uid: "uid-1", channels: ["C9"] },
        { uid: "uid-2", channels: ["C1"], liveThreads: [] },
      ],
    });
    expect(await deliver(aMessage(thread))).toMatchObject({ body: { status: "ignored" } });
    expect(created).toEqual([]);
  });

  it("logs nothing about a message that is not for the bot, whatever its workspace", async () => {
    for (const team of ["T1", "T2"])
      expect(await world().deliver(aMessage({ text: "the secret plan" }, team))).toMatchObject({
        private: true,
        body: { reason: "NotMentioned" },
        reply: { status: 200, body: "" },
      });
  });

  it("reads follow-ups in a thread that the operator published", async () => {
    const { deliver, created } = world({ liveThreads: ["T1/C1/1767350000.000001"] });
    await deliver(aMessage({ text: "and the docs", thread_ts: "1767350000.000001" }));
    expect(created).toHaveLength(1);
  });

  it("lets Slack repeat a mention until the operator has found the workspace, and ignores those of other workspaces", async () => {
    const early = await world({ status: { bot } }).deliver(aMessage(mention));
    expect(early).toMatchObject({ reply: { status: 503 }, body: { reason: "InstallationUnknown" } });
    const other = await world().deliver(aMessage(mention, "T2"));
    expect(other).toMatchObject({ reply: { status: 200 }, body: { reason: "NotCovered" } });
  });

  it("answers 401 to a delivery that another key signed", async () => {
    expect(await world().deliver(aMessage(mention), "other")).toMatchObject({ status: 401, reply: { status: 401 } });
  });

  it("answers the check of the URL only if it is signed", async () => {
    const check = anEventDelivery({ type: "url_verification", challenge: "c" });
    expect(await world().deliver(check)).toMatchObject({ reply: { status: 200, body: '{"challenge":"c"}' } });
    expect(await world().deliver(check, "other")).toMatchObject({ reply: { status: 401, body: "" } });
  });

  it.each([
    ["that the request is accepted", {}, "fix it", "The request is accepted."],
    ["that an answer follows", {}, "status", "The answer follows: only you will see it."],
    ["the help", {}, "help", "Write /bellhop and"],
    [
      "that the request must be sent again",
      { fail: true },
      "fix it",
      "The request could not be stored; send it again.",
    ],
  ])("shows the person who used the slash command %s", async (_, given: World, text, shown) => {
    const { reply } = await world(given).deliver(aCommand(text));
    expect(reply?.status).toBe(200);
    expect(shownIn(reply)).toEqual({ response_type: "ephemeral", text: expect.stringContaining(shown) });
  });

  const name = `slack-${"a2".repeat(13)}`;
  it.each([
    ["status", { command: "status" }],
    ["stop", { command: "stop" }],
    ["Stop 2.", { command: "stop", commandArgument: "2" }],
    ["please stop #2", { command: "stop", commandArgument: "2" }],
    ["stop all", { command: "stop", commandArgument: "all" }],
    [`stop \`${name}\``, { command: "stop", commandArgument: name }],
  ])("makes a task of the command %j, with its channel", async (text, wanted) => {
    const { deliver, created } = world();
    expect((await deliver(aCommand(text))).body).toMatchObject({ status: "accepted", command: wanted.command });
    expect(created).toMatchObject([
      { spec: { ...wanted, source: { channel: "C1", signal: { type: "SlashCommand" } } } },
    ]);
  });

  it.each(["stop using tabs in the generated files", "status of the build is not shown"])(
    "takes %j for a request",
    async (text) => {
      const { deliver, created } = world();
      await deliver(aCommand(text));
      expect(created.map(({ spec }) => spec.command)).toEqual([undefined]);
    },
  );

  it("does not name the integrations that cover a channel to the person", async () => {
    const { deliver } = world({ members: [{ uid: "uid-1" }, { uid: "uid-2" }] });
    const { reply, detail } = await deliver(aCommand("fix it"));
    expect(reply?.body).toContain("Several integrations cover the channel");
    expect(reply?.body).not.toContain("team/slack");
    expect(detail).toContain("team/slack");
  });

  it.each(["retry", "continue", "approve", "use acme/shop"])(
    "says that the slash command %s belongs in the thread of the work, and creates no task",
    async (text) => {
      const { deliver, created } = world();
      const { reply, body } = await deliver(aCommand(text));
      expect(body).toMatchObject({ status: "ignored", reason: "NeedsThread" });
      expect(shownIn(reply)).toEqual({
        response_type: "ephemeral",
        text: "Give this command in the thread of the work, or use the buttons of its report.",
      });
      expect(created).toEqual([]);
    },
  );
});

describe("the choices of the menu of repositories", () => {
  const offered = [
    { name: "acme/shop" },
    { name: "acme/vault", places: ["C1"] },
    { name: "acme/safe", places: ["C2"] },
  ];
  const asks = (changes: object = {}) =>
    anInteractionDelivery({
      type: "block_suggestion",
      team: { id: "T1" },
      user: { id: "U1", name: "ada" },
      channel: { id: "C1", name: "general" },
      action_id: "bellhop/use",
      block_id: "bellhop/use:slack-abc",
      value: "",
      ...changes,
    });
  const namesIn = ({ reply }: Answer): string[] =>
    (JSON.parse(reply?.body ?? "") as { options: { value: string }[] }).options.map(({ value }) => value);

  it("are the published ones of the channel, with no task and no line in the log", async () => {
    const { deliver, created } = world({ offered });
    const answer = await deliver(asks());
    expect(answer).toMatchObject({ status: 200, private: true, reply: { status: 200 } });
    expect(namesIn(answer)).toEqual(["acme/vault", "acme/shop"]);
    expect(namesIn(await deliver(asks({ value: "the secret plan" })))).toEqual([]);
    expect(JSON.stringify(await deliver(asks({ value: "the secret plan" })))).not.toContain("secret plan");
    expect(created).toEqual([]);
  });

  it.each([
    ["another workspace", {}, { team: { id: "T2" } }],
    ["a channel that the integration does not cover", { members: [{ uid: "uid-1", channels: ["C9"] }] }, {}],
    ["a suspended integration", { suspend: true }, {}],
    ["a menu that is not ours", {}, { action_id: "other" }],
    ["a view", {}, { channel: undefined }],
  ])("are none for %s, in the form that Slack can show", async (_, given: World, changes) => {
    const answer = await world({ offered, ...given }).deliver(asks(changes));
    expect(answer.reply?.status).toBe(200);
    expect(namesIn(answer)).toEqual([]);
  });

  it("are not answered to a delivery that another key signed", async () => {
    expect(await world({ offered }).deliver(asks(), "other")).toMatchObject({ status: 401, reply: { body: "" } });
  });

  it("are those of the integration that covers the channel", async () => {
    const members = [
      { uid: "uid-1", channels: ["C9"] },
      { uid: "uid-2", channels: ["C1"] },
    ];
    expect(namesIn(await world({ offered, members }).deliver(asks()))).toEqual(["acme/vault", "acme/shop"]);
  });

  it("make Slack show an error while the workspace is not known yet", async () => {
    expect(await world({ offered, status: { bot } }).deliver(asks())).toMatchObject({ reply: { status: 503 } });
  });
});

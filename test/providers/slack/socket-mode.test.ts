import { WebClient } from "@slack/web-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/shared/fake-clock.ts";
import { startSlack } from "./index.ts";
import type { Person, SlackStandIn } from "./index.ts";
import { client, silent } from "./testing.ts";

type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests read messages of every shape

let slack: SlackStandIn;
let clock: FakeClock;
let ana: Person;
let socket: WebSocket;
let received: Json[];
/** The acknowledgement of each envelope; undefined for none. */
let acknowledge: (envelope: Json) => object | undefined;

beforeEach(async () => {
  clock = new FakeClock("2026-03-01T12:00:00Z");
  slack = await startSlack({ plainHttp: true, clock });
  const { people } = slack;
  await people.createTeam({ domain: "acme" });
  await people.createUser({ name: "ana" });
  await people.createApp({ name: "bellhop", socketMode: true, commands: { "/bellhop": "" } });
  await people.installApp({ by: "ana" });
  await people.createChannel({ name: "shop", members: ["ana", "bellhop"] });
  ana = slack.person("ana");
  received = [];
  acknowledge = ({ envelope_id }) => ({ envelope_id });
  socket = await connect();
});
afterEach(async () => {
  slack.assertClean();
  socket.close();
  await slack.close();
});

/** Opens a connection as an app does. */
async function connect(): Promise<WebSocket> {
  const web = new WebClient(slack.app().appToken, { slackApiUrl: slack.apiUrl, logger: silent });
  const { url = "" } = await web.apps.connections.open({});
  const opened = new WebSocket(url);
  opened.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Json;
    received.push(message);
    const answer = message["envelope_id"] === undefined ? undefined : acknowledge(message);
    if (answer) opened.send(JSON.stringify(answer));
  });
  await expect.poll(() => received.some(({ type }) => type === "hello")).toBe(true);
  return opened;
}

const envelopes = (type: string): Json[] => received.filter((message) => message["type"] === type);

describe("Socket Mode", () => {
  it("greets a connection with the app's id", () => {
    expect(received[0]).toMatchObject({
      type: "hello",
      num_connections: 1,
      connection_info: { app_id: slack.app().id },
    });
  });

  it("sends events as envelopes, and not again after an acknowledgement", async () => {
    const { ts } = await ana.mentions("shop", "hello");
    const events = envelopes("events_api").map(({ payload }) => payload["event"]);
    expect(events.map(({ type, ts }) => [type, ts])).toEqual([
      ["app_mention", ts],
      ["message", ts],
    ]);
    await clock.advance(600_000);
    expect(envelopes("events_api")).toHaveLength(2);
  });

  it("sends an event again if there is no acknowledgement within 3 seconds", async () => {
    acknowledge = () => undefined;
    const posting = ana.posts("shop", "hello");
    await expect.poll(() => envelopes("events_api").length).toBe(1);
    acknowledge = ({ envelope_id }) => ({ envelope_id });
    await clock.advance(3_000);
    await posting;
    await expect
      .poll(() => envelopes("events_api").at(-1))
      .toMatchObject({ retry_attempt: 1, retry_reason: "timeout" });
    await expect.poll(() => slack.deliveries("message")[0]?.done).toBe(true);
  });

  it("sends interactions and commands, and accepts an answer with the acknowledgement", async () => {
    acknowledge = ({ envelope_id, accepts_response_payload }) => ({
      envelope_id,
      ...(accepts_response_payload && { payload: { text: "usage: …" } }),
    });
    expect(await ana.command("shop", "/bellhop", "help")).toMatchObject({ status: 200, answer: { text: "usage: …" } });
    expect(slack.messages("shop", { as: "ana" }).at(-1)?.text).toBe("usage: …");
    const button = { type: "button", action_id: "stop", text: { type: "plain_text", text: "Stop" } };
    const channel = slack.messages("shop", { as: "ana" }).at(-1)?.channel ?? "";
    const blocks = [{ type: "actions", elements: [button] }];
    const { ts = "" } = await client(slack).chat.postMessage({ channel, text: "x", blocks });
    await ana.clicks({ channel, ts }, "stop");
    expect(envelopes("slash_commands")).toMatchObject([{ payload: { command: "/bellhop" } }]);
    expect(envelopes("interactive")).toMatchObject([{ payload: { type: "block_actions" } }]);
  });

  it("delivers each event to one of several connections", async () => {
    const second = await connect();
    await ana.posts("shop", "hello");
    expect(envelopes("events_api")).toHaveLength(1);
    second.close();
  });

  it("asks the app to reconnect, and retries what no connection took", async () => {
    const gone = new Promise((resolve) => socket.addEventListener("close", resolve));
    await slack.people.disconnectSockets({ reason: "refresh_requested" });
    await gone;
    expect(received.at(-1)).toMatchObject({ type: "disconnect", reason: "refresh_requested" });
    await ana.posts("shop", "while nobody listens");
    expect(envelopes("events_api")).toEqual([]);
    await slack.settled();
    received.length = 0;
    socket = await connect();
    await clock.advance(60_000);
    await expect.poll(() => envelopes("events_api")).toMatchObject([{ retry_reason: "connection_failed" }]);
    await expect.poll(() => slack.deliveries("message")[0]?.done).toBe(true);
  });

  it("opens a ticket once, and only for an app-level token", async () => {
    const web = (token: string) =>
      new WebClient(token, { slackApiUrl: slack.apiUrl, logger: silent, retryConfig: { retries: 0 } });
    const { url = "" } = await web(slack.app().appToken).apps.connections.open({});
    const state = (opened: WebSocket): Promise<string> =>
      new Promise((resolve) => {
        for (const name of ["open", "error"]) opened.addEventListener(name, () => resolve(name));
      });
    const first = new WebSocket(url);
    expect(await state(first)).toBe("open");
    expect(await state(new WebSocket(url))).toBe("error");
    first.close();
    const bot = web(slack.installation().token);
    await expect(bot.apps.connections.open({})).rejects.toMatchObject({ data: { error: "not_allowed_token_type" } });
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { client as botOf } from "../../../test/providers/slack/testing.ts";
import { AgentTaskKind } from "../../api/kinds.ts";
import { unreachable } from "../../kube/errors.ts";
import { leases } from "../../kube/resources.ts";
import type { Sockets } from "./index.ts";
import { aSocketWorld, ended, type SocketWorld } from "./testing.ts";

let world: SocketWorld;
let gateway: Sockets;

beforeEach(async () => {
  world = await aSocketWorld();
  gateway = world.gateway();
});
afterEach(async () => {
  world.slack.assertClean();
  await world.close();
});

/** Lets time pass for the gateways until something holds. */
async function until(holds: () => unknown): Promise<void> {
  await expect
    .poll(
      async () => {
        await world.clock.advance(100);
        return Boolean(await holds());
      },
      { interval: 5 },
    )
    .toBe(true);
}

/** The connections that were asked for, and the open ones. */
const asked = () => world.slack.calls("apps.connections.open").length;
const open = async () => (await world.registry.getSingleMetric("bellhop_gateway_connections")?.get())?.values[0]?.value;
const endings = async () =>
  (await world.registry.getSingleMetric("bellhop_gateway_connections_ended_total")?.get())?.values;
const connected = () => world.state()?.connected === true;
const attemptsOf = (type: string) =>
  world.slack.deliveries(type).map(({ attempts }) => attempts.map(({ status }) => status));

/** The status and the text of an acknowledgement that a person sees, as JSON. */
const saidTo = ({ status, answer }: { status: number | undefined; answer?: unknown }): string =>
  `${status} ${JSON.stringify(answer)}`;

/** A gateway that has connected and said so. */
async function connect(entry = world.entry()): Promise<void> {
  gateway.follow(entry);
  await until(connected);
}

/** A mention whose task is being stored: it is stored when `store` is called. */
async function aMentionInStorage(): Promise<{ mentioning: Promise<unknown>; store: () => void }> {
  const stored = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  world.client.before = async ({ plural }) => {
    if (plural !== AgentTaskKind.plural) return;
    begun.resolve();
    await stored.promise;
  };
  const mentioning = world.ana.mentions("shop", "slowly");
  await begun.promise;
  return { mentioning, store: () => stored.resolve() };
}

describe("deliveries over a connection", () => {
  it("ask for the choices of a menu, and the acknowledgement has the published ones", async () => {
    await connect();
    const menu = {
      type: "external_select",
      action_id: "bellhop/use",
      placeholder: { type: "plain_text", text: "Choose" },
    };
    const blocks = [{ type: "actions", block_id: "bellhop/use:slack-abc", elements: [menu] }];
    const { channel } = await world.ana.posts("shop", "hello");
    const { ts } = await botOf(world.slack).chat.postMessage({ channel, text: "x", blocks });
    const options = await world.ana.types({ channel, ts: ts ?? "" }, "bellhop/use", "SHOP");
    expect(options.map(({ value }) => value)).toEqual(["acme/shop"]);
    expect(world.tasks()).toEqual([]);
  });

  it("become tasks as those of a webhook: a mention is two events and one task", async () => {
    await connect();
    await world.ana.mentions("shop", "please fix the login");
    expect(world.tasks()).toMatchObject([{ spec: { prompt: expect.stringContaining("please fix the login") } }]);
    expect(attemptsOf("app_mention")).toEqual([[200]]);
    expect(attemptsOf("message")).toEqual([[200]]);
  });

  it("answer a slash command in the acknowledgement: the help, or that the request is accepted", async () => {
    await connect();
    const help = await world.ana.command("shop", "/bellhop", "help");
    expect(saidTo(help)).toContain("Write /bellhop");
    const work = await world.ana.command("shop", "/bellhop", "fix the login");
    expect(saidTo(work)).toContain("The request is accepted.");
    expect(world.tasks()).toMatchObject([{ spec: { source: { object: { type: "Command" } } } }]);
  });

  it("make a task with a command of a click on a button of ours", async () => {
    await connect();
    const button = {
      type: "button" as const,
      action_id: "bellhop/stop",
      value: "stop:slack-abc",
      text: { type: "plain_text" as const, text: "Stop" },
    };
    const [, channel = ""] = /(C[A-Z0-9]+)/.exec(JSON.stringify(await world.ana.posts("shop", "hi"))) ?? [];
    const { ts = "" } = await botOf(world.slack).chat.postMessage({
      channel,
      text: "x",
      blocks: [{ type: "actions", elements: [button] }],
    });
    expect(await world.ana.clicks({ channel, ts }, "bellhop/stop")).toMatchObject({ status: 200 });
    expect(world.tasks()).toMatchObject([{ spec: { command: "stop", commandTarget: "slack-abc" } }]);
  });

  it("are not acknowledged if they cannot be stored, and stored once when Slack sends them again", async () => {
    await connect();
    world.client.before = ({ plural }) => {
      if (plural === AgentTaskKind.plural) throw unreachable("create agenttasks", new Error("refused"));
    };
    const mentioning = world.ana.mentions("shop", "please fix the login");
    // Neither the first attempt nor the retry that follows at once is acknowledged.
    await expect.poll(() => attemptsOf("app_mention")[0]?.length).toBe(1);
    await expect
      .poll(async () => {
        await world.slackClock.advance(3_000);
        return attemptsOf("app_mention")[0]?.length;
      })
      .toBe(2);
    await world.slackClock.advance(3_000);
    await mentioning;
    expect(world.tasks()).toEqual([]);
    expect(attemptsOf("app_mention")).toEqual([[undefined, undefined]]);

    world.client.before = () => undefined;
    await world.slackClock.advance(60_000);
    await expect.poll(() => attemptsOf("app_mention")).toEqual([[undefined, undefined, 200]]);
    expect(world.tasks()).toHaveLength(1);
  });

  it("ask the person of a slash command that could not be stored to send it again, because Slack does not", async () => {
    await connect();
    world.client.before = ({ plural }) => {
      if (plural === AgentTaskKind.plural) throw unreachable("create agenttasks", new Error("refused"));
    };
    const reply = await world.ana.command("shop", "/bellhop", "fix the login");
    expect(saidTo(reply)).toContain("send it again");
  });

  it("are one task if the acknowledgement was lost and Slack sends the event again", async () => {
    await connect();
    world.client.after = async ({ plural, verb }) => {
      if (plural !== AgentTaskKind.plural || verb !== "create") return;
      world.client.after = () => undefined;
      // The task is stored, and the connection is gone before the acknowledgement.
      await world.slack.people.disconnectSockets({});
      throw unreachable("create agenttasks", new Error("reset"));
    };
    await world.ana.mentions("shop", "please fix the login");
    await until(async () => asked() === 2 && (await open()) === 1);
    await world.slackClock.advance(60_000);
    await until(() => world.slack.deliveries("app_mention")[0]?.done);
    expect(attemptsOf("app_mention")[0]?.at(-1)).toBe(200);
    expect(world.tasks()).toHaveLength(1);
  });
});

describe("a connection", () => {
  it("is replaced before Slack closes it, so that there is no gap", async () => {
    await connect();
    await world.slack.people.disconnectSockets({ reason: "warning" });
    await until(() => asked() === 2);
    await until(async () => (await open()) === 2);
    await world.ana.mentions("shop", "in between");
    await world.slackClock.advance(10_000);
    await until(async () => (await open()) === 1);
    await world.ana.mentions("shop", "afterwards");
    expect(world.tasks()).toHaveLength(2);
    expect(attemptsOf("app_mention")).toEqual([[200], [200]]);
    expect(await endings()).toEqual([]);
    expect(connected()).toBe(true);
  });

  it("finishes an envelope on the connection that brought it, although another one takes over", async () => {
    await connect();
    const { mentioning, store } = await aMentionInStorage();
    const warning = world.slack.people.disconnectSockets({ reason: "warning" });
    await until(() => asked() === 2);
    store();
    await Promise.all([mentioning, warning]);
    expect(attemptsOf("app_mention")).toEqual([[200]]);
  });

  it("is opened again after a reset, and takes what Slack could not deliver meanwhile", async () => {
    await connect();
    await world.slack.people.disconnectSockets({});
    await world.ana.mentions("shop", "while nobody listens");
    await until(async () => asked() === 2 && (await open()) === 1);
    await world.slackClock.advance(60_000);
    await until(() => world.tasks().length === 1);
  });

  it("counts as dead if nothing answers pings for 30 seconds", async () => {
    await connect();
    await world.slack.people.freezeSockets({});
    await until(() => asked() === 2);
    expect(await endings()).toMatchObject([{ labels: { provider: "slack", reason: "NoSignOfLife" }, value: 1 }]);
    await until(connected);
  });

  it("stays open while pings are answered", async () => {
    await connect();
    for (let second = 0; second < 120; second++) {
      await world.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked()).toBe(1);
  });

  it("is opened again with a new token as soon as it is published", async () => {
    await connect();
    await world.slack.people.replaceAppToken({});
    gateway.follow(world.entry());
    await until(() => asked() === 2);
    await until(async () => (await open()) === 1);
    expect(connected()).toBe(true);
  });
});

describe("the report of a connection", () => {
  it.each([
    ["a bot token", () => world.slack.installation().token, "SecretInvalid", /not an app-level token/],
    ["an unknown token", () => "xapp-1-unknown", "Unauthorized", /app-level token is wrong or revoked/],
  ])("says why %s is refused, and retries with growing pauses", async (_name, token, reason, message) => {
    gateway.follow(world.entry(token()));
    await until(() => world.state()?.reason === reason);
    expect(world.state()).toMatchObject({ connected: false, message: expect.stringMatching(message) });
    expect(JSON.stringify(world.lease())).not.toContain(token());
    const before = world.client.calls.length;
    await world.clock.advance(60_000);
    expect(world.client.calls.length).toBeGreaterThan(before);
    expect(asked()).toBeLessThan(12);
  });

  it("says that Socket Mode is off, and connects when it is on again", async () => {
    await connect();
    await world.slack.people.setSocketMode({ on: false });
    await until(() => world.state()?.reason === "SocketModeOff");
    expect(world.state()?.message).toMatch(/Socket Mode is off in the app/);
    await world.slack.people.setSocketMode({ on: true });
    await until(connected);
  });

  it("says that the app has too many connections", async () => {
    const others: (() => void)[] = [];
    while (others.length < 10) others.push(await world.stranger());
    gateway.follow(world.entry());
    await until(() => world.state()?.reason === "TooManyConnections");
    for (const close of others) close();
    await until(connected);
  });
});

describe("several gateways", () => {
  it("have one connection; another gateway takes over when the holder stops cleanly", async () => {
    const second = world.gateway("gateway-2");
    await connect();
    second.follow(world.entry());
    await world.clock.advance(10_000);
    expect(asked()).toBe(1);
    expect(world.lease()?.spec?.holderIdentity).toMatch(/^gateway-1_/);
    await ended(gateway, world.clock);
    await until(() => world.lease()?.spec?.holderIdentity?.startsWith("gateway-2_") === true && connected());
    await world.ana.mentions("shop", "please fix the login");
    expect(world.tasks()).toHaveLength(1);
    expect(await open()).toBe(1);
  });

  it("close their connections at once if the Lease is lost, and compete again", async () => {
    await connect();
    const mine = world.client.only(leases);
    const thief = { ...mine.spec, holderIdentity: "gateway-2_ffff", leaseDurationSeconds: 15 };
    await world.client.replace(leases, { ...mine, spec: thief });
    await until(async () => (await open()) === 0);
    expect(world.lease()?.spec?.holderIdentity).toBe("gateway-2_ffff");
    // The other one never renews.
    await until(() => world.lease()?.spec?.holderIdentity?.startsWith("gateway-1_") === true && connected());
    expect(await open()).toBe(1);
  });

  it("release the Lease if no connection is published any more", async () => {
    await connect();
    gateway.follow(new Map());
    await until(() => world.lease()?.spec?.holderIdentity === "");
    expect(await open()).toBe(0);
    gateway.follow(world.entry());
    await until(connected);
  });

  it("finish the open envelopes before they release the Lease", async () => {
    await connect();
    const { mentioning, store } = await aMentionInStorage();
    const stopping = gateway.stop();
    await world.clock.advance(1_000);
    expect(world.lease()?.spec?.holderIdentity).toMatch(/^gateway-1_/);
    store();
    await mentioning;
    await until(() => world.lease()?.spec?.holderIdentity === "");
    await stopping;
    expect(attemptsOf("app_mention")).toEqual([[200]]);
  });
});

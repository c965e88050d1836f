import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect as openSocket } from "node:net";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { SlackAppKind } from "../../src/api/slack-app.ts";
import { encodeGatewayKeys } from "../../src/intake/gateway-keys.ts";
import { aSlackApp, bot, slashCommand } from "../../src/integrations/slack/testing.ts";
import { connect } from "../../src/kube/config.ts";
import { secrets } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { installCrds } from "../cluster/crds.ts";
import { aNamespace } from "../cluster/namespace.ts";
import { shownText } from "../providers/slack/see.ts";
import { aGateway, gatewayEnv, type RunningGateway } from "./gateway-world.ts";

const route = "route-of-slack-0123456789";
const secret = "the-signing-secret";
const form = "application/x-www-form-urlencoded";
const minutes = 60;
let client: KubeConnection;
let gateway: RunningGateway;
let namespace: string;

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
  await installCrds(client);
  namespace = await aNamespace(client, "slack-input");
  await publish();
  gateway = await aGateway(gatewayEnv(namespace), inject("kubeconfigPath"));
});
afterAll(async () => {
  await gateway?.stop();
  await client.close();
});

/** A SlackApp in the workspace T1, and the entry of its hook. */
async function publish(): Promise<void> {
  const { spec } = aSlackApp({
    triggers: [
      { name: "mention", mention: {} },
      { name: "command", slashCommand: {} },
    ],
  });
  const created = await client.create(SlackAppKind, { metadata: { name: "slack", namespace }, spec });
  const status = { bot, installations: [{ id: "T1", account: "acme" }] };
  const { metadata } = await client.replaceStatus(SlackAppKind, { ...created, status });
  const entry = {
    route,
    provider: "slack",
    host: "slack.com",
    generation: 1,
    keys: [Buffer.from(secret).toString("base64")],
    members: [{ kind: "SlackApp", namespace, name: "slack", uid: metadata.uid ?? "" }],
  };
  const data = encodeGatewayKeys({ generation: 1, routes: new Map([[route, entry]]) });
  await client.create(secrets, { metadata: { name: "bellhop-gateway-keys", namespace }, data });
}

interface Sent {
  body: string;
  type?: string;
  key?: string;
  /** How old the signature is, in seconds. */
  ageS?: number;
  /** The body that is signed instead of the one that is sent. */
  signs?: string;
  unsigned?: boolean;
}

function headersOf({ body, type = form, key = secret, ageS = 0, signs = body, unsigned = false }: Sent) {
  const time = String(Math.floor(Date.now() / 1_000) - ageS);
  const hex = createHmac("sha256", key).update(`v0:${time}:${signs}`).digest("hex");
  const signature = unsigned ? {} : { "x-slack-signature": `v0=${hex}` };
  return { "content-type": type, "x-slack-request-timestamp": time, ...signature };
}

/** Sends a delivery as Slack does. */
async function deliver(sent: Sent): Promise<{ status: number; retries: boolean; body: string }> {
  const { body } = sent;
  const answer = await request(`${gateway.url}/hooks/${route}`, { method: "POST", body, headers: headersOf(sent) });
  const retries = answer.headers["x-slack-no-retry"] === undefined;
  return { status: answer.statusCode, retries, body: await answer.body.text() };
}

const fields = (more: Record<string, string> = {}): string =>
  new URLSearchParams({ ...slashCommand, ...more }).toString();
const anEvent = (more: object = {}): string =>
  JSON.stringify({
    type: "event_callback",
    team_id: "T1",
    event_id: "Ev1",
    event: {
      type: "app_mention",
      channel: "C1",
      user: "U1",
      ts: `${Math.floor(Date.now() / 1_000)}.000100`,
      text: "<@UBOT> fix it",
    },
    ...more,
  });
const aClick = (more: object = {}): string => {
  const actions = [{ action_id: "bellhop/stop", block_id: "bellhop:slack-abc", value: "slack-abc", action_ts: "1.2" }];
  const at = { team: { id: "T1" }, user: { id: "U1", name: "ana" }, channel: { id: "C1", name: "shop" } };
  const payload = JSON.stringify({ type: "block_actions", trigger_id: "1.2.b", ...at, actions, ...more });
  return new URLSearchParams({ payload }).toString();
};
const json = "application/json";
const mebibyte = 1024 * 1024;

async function tasks(): Promise<string[]> {
  const { items } = await client.list(AgentTaskKind, { namespace });
  return items.map(({ metadata }) => metadata.name);
}

describe("deliveries of Slack that a gateway on a real port must not believe", () => {
  const bodies = [
    { what: "a slash command", body: fields(), type: form },
    { what: "a click", body: aClick(), type: form },
    { what: "an event", body: anEvent(), type: json },
  ];
  const forgeries: [string, Partial<Sent>][] = [
    ["without a signature", { unsigned: true }],
    ["signed with another key", { key: "another" }],
    ["with the signature of another body", { signs: "payload=%7B%7D" }],
    ["signed six minutes ago", { ageS: 6 * minutes }],
    ["signed six minutes ahead", { ageS: -6 * minutes }],
  ];
  it.each(bodies.flatMap((sent) => forgeries.map(([how, more]) => ({ ...sent, how, more }))))(
    "are refused and not repeated: $what $how",
    async ({ body, type, more }) => {
      expect(await deliver({ body, type, ...more })).toEqual({ status: 401, retries: false, body: "" });
    },
  );

  it.each([
    ["a click whose JSON is cut off", aClick().slice(0, -20), form, 400],
    ["an event whose JSON is cut off", anEvent().slice(0, -20), json, 400],
    [
      "a form with hundreds of fields",
      fields(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`f${at}`, "x"]))),
      form,
      400,
    ],
    ["a slash command of more than 1 MiB", fields({ text: "x".repeat(mebibyte) }), form, 413],
    ["an event of more than 1 MiB", anEvent({ pad: "x".repeat(mebibyte) }), json, 413],
    ["a body of another type", fields(), "multipart/form-data; boundary=x", 400],
  ])("are refused and not repeated, although they are signed: %s", async (_what, body, type, status) => {
    expect(await deliver({ body, type })).toMatchObject({ status, retries: false });
  });

  it("are refused if the connection ends before the body does", async () => {
    const body = fields();
    const head = Object.entries(headersOf({ body })).map(([name, value]) => `${name}: ${value}\r\n`);
    const { port } = new URL(gateway.url);
    const socket = openSocket(Number(port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.end(
      `POST /hooks/${route} HTTP/1.1\r\nhost: x\r\n${head.join("")}content-length: ${body.length}\r\n\r\n${body.slice(0, 40)}`,
    );
    await once(socket, "close");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("are ignored if they come from a workspace that did not install the app, and its people read why", async () => {
    expect(await deliver({ body: anEvent({ team_id: "T2" }), type: json })).toMatchObject({ status: 200, body: "" });
    expect(await deliver({ body: aClick({ team: { id: "T2" } }) })).toMatchObject({ status: 200, body: "" });
    const { status, body } = await deliver({ body: fields({ team_id: "T2" }) });
    expect(status).toBe(200);
    expect(shownText(JSON.parse(body) as never)).toMatch(/^Nothing was started: /);
  });

  it("create no task, and the same gateway accepts what Slack signed now", async () => {
    expect(await tasks()).toEqual([]);
    expect(await deliver({ body: anEvent(), type: json })).toEqual({ status: 200, retries: true, body: "" });
    expect(shownText(JSON.parse((await deliver({ body: fields() })).body) as never)).toBe("The request is accepted.");
    expect(await tasks()).toHaveLength(2);
  });
});

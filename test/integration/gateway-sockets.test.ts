import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { SlackAppKind, slackAppSpec } from "../../src/api/slack-app.ts";
import { encodeGatewayKeys } from "../../src/intake/gateway-keys.ts";
import { decodeSocketStates, socketLeaseName, socketStatesAnnotation } from "../../src/intake/socket-states.ts";
import { connect } from "../../src/kube/config.ts";
import { leases, secrets } from "../../src/kube/resources.ts";
import type { KubeConnection } from "../../src/kube/types.ts";
import { installCrds } from "../cluster/crds.ts";
import { eventually } from "../cluster/eventually.ts";
import { aNamespace } from "../cluster/namespace.ts";
import { startSlack, type SlackStandIn } from "../providers/slack/index.ts";
import { gatewayEnv } from "./gateway-world.ts";

const kubeconfig = inject("kubeconfigPath");
let client: KubeConnection;
const cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig }));
  await installCrds(client);
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});
afterAll(() => client.close());

describe("two gateways with one connection, on a real API server", () => {
  it(
    "lose nothing when the holder is killed: the other one takes the Lease, and Slack sends again what was not acknowledged",
    { timeout: 180_000 },
    async () => {
      const { slack, namespace, env } = await aPublishedApp();
      const ana = slack.person("ana");
      const gateways = new Map<string, ChildProcess>();
      for (const name of ["gateway-a", "gateway-b"]) gateways.set(name, aGatewayProcess({ ...env, POD_NAME: name }));
      const holder = async (): Promise<string | undefined> => {
        const lease = await client.find(leases, { namespace, name: socketLeaseName });
        const states = decodeSocketStates(lease?.metadata.annotations?.[socketStatesAnnotation]);
        const isConnected = [...states.values()].some(({ connected }) => connected);
        return isConnected ? (lease?.spec?.holderIdentity ?? "").replace(/_.*/, "") : undefined;
      };
      const tasks = async () => (await client.list(AgentTaskKind, { namespace })).items;

      const first = await eventually(holder, { describe: "a gateway to connect", timeoutMs: 60_000 });
      expect(slack.calls("apps.connections.open")).toHaveLength(1);
      await ana.mentions("shop", "before");
      expect(await tasks()).toHaveLength(1);

      gateways.get(first)?.kill("SIGKILL");
      await ana.mentions("shop", "while nobody listens");
      const isOther = (name: string | undefined): boolean => name !== undefined && name !== first;
      await eventually(async () => isOther(await holder()) && slack.calls("apps.connections.open").length === 2, {
        describe: "the other gateway to connect",
        timeoutMs: 60_000,
      });
      await ana.mentions("shop", "afterwards");
      await eventually(async () => (await tasks()).length === 3, {
        describe: "every mention to be one task: Slack sends the second one again after a minute",
        timeoutMs: 90_000,
      });
      expect(slack.calls("apps.connections.open")).toHaveLength(2);
      slack.assertClean();
    },
  );
});

describe("the credentials of a SlackApp", () => {
  it.each([
    ["neither", {}],
    ["both", { signingSecretRef: { name: "s", key: "k" }, appTokenSecretRef: { name: "s", key: "a" } }],
  ])("are refused with %s of signing secret and app-level token", async (_name, more) => {
    const namespace = await aNamespace(client, "slack");
    const spec = aSpec("https://slack.com");
    const { botTokenSecretRef } = spec.credentials;
    const credentials = { botTokenSecretRef, ...more };
    await expect(
      client.create(SlackAppKind, { metadata: { name: "slack", namespace }, spec: { ...spec, credentials } }),
    ).rejects.toThrow(/credentials: set exactly one of signingSecretRef, appTokenSecretRef/);
  });
});

function aSpec(url: string) {
  return slackAppSpec.parse({
    url,
    credentials: {
      botTokenSecretRef: { name: "slack", key: "bot" },
      appTokenSecretRef: { name: "slack", key: "app" },
    },
    codeHostRef: { kind: "GitHubIntegration", name: "github" },
    triggers: [{ name: "mention", mention: {} }],
    profileRef: { name: "default" },
  });
}

/** A Slack app with Socket Mode, its SlackApp, and the published entry of its connection. */
async function aPublishedApp(): Promise<{ slack: SlackStandIn; namespace: string; env: Record<string, string> }> {
  const slack = await startSlack();
  const folder = mkdtempSync(join(tmpdir(), "bellhop-sockets-"));
  cleanUp.push(
    () => rmSync(folder, { recursive: true }),
    () => slack.close(),
  );
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, slack.ca ?? "");
  const { people } = slack;
  const { id: team } = await people.createTeam({ domain: "acme" });
  await people.createUser({ name: "ana" });
  const { appToken } = await people.createApp({ name: "bellhop", socketMode: true });
  const { bot } = await people.installApp({ by: "ana" });
  await people.createChannel({ name: "shop", members: ["ana", "bellhop"] });

  const namespace = await aNamespace(client, "sockets");
  const created = await client.create(SlackAppKind, { metadata: { name: "slack", namespace }, spec: aSpec(slack.url) });
  const { metadata } = await client.replaceStatus(SlackAppKind, {
    ...created,
    status: {
      bot: { id: bot.id, login: "bellhop", mention: "bellhop" },
      installations: [{ id: team, account: "acme" }],
    },
  });
  const uid = metadata.uid ?? "";
  const entry = {
    provider: "slack",
    host: new URL(slack.url).host,
    url: slack.url,
    token: Buffer.from(appToken).toString("base64"),
    members: [{ kind: "SlackApp", namespace, name: "slack", uid }],
  };
  const data = encodeGatewayKeys({ generation: 1, routes: new Map(), sockets: new Map([[uid, entry]]) });
  await client.create(secrets, { metadata: { name: "bellhop-gateway-keys", namespace }, data });
  const http = { BELLHOP_CA_FILE: caFile, BELLHOP_ALLOWED_HOSTS: "127.0.0.1" };
  return { slack, namespace, env: { ...gatewayEnv(namespace), ...http } };
}

function aGatewayProcess(env: Record<string, string>): ChildProcess {
  const main = join(import.meta.dirname, "../../src/gateway/main.ts");
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env["PATH"], KUBECONFIG: kubeconfig, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  cleanUp.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

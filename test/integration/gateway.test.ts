import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GitHubIntegrationKind } from "../../src/api/github-integration.ts";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { encodeGatewayKeys } from "../../src/intake/gateway-keys.ts";
import { aComment, anEntry, previousHookKey, signedHeaders } from "../../src/intake/testing.ts";
import { connect } from "../../src/kube/config.ts";
import { namespaces, secrets } from "../../src/kube/resources.ts";
import type { KubeConnection, KubeObject, ResourceType } from "../../src/kube/types.ts";
import { startControlPlane, type ControlPlane } from "../cluster/control-plane.ts";
import { installCrds } from "../cluster/crds.ts";
import { eventually } from "../cluster/eventually.ts";
import { aPublishedIntegration, aGateway, deliver } from "./gateway-world.ts";

const kubeconfig = inject("kubeconfigPath");
const quotas: ResourceType<KubeObject & { spec: object; status?: object }> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};
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

async function aRunningGateway(env: Record<string, string>, path = kubeconfig) {
  const gateway = await aGateway(env, path);
  cleanUp.push(() => gateway.stop());
  return gateway;
}

describe("the gateway on a real API server", () => {
  it("stores a task under the name that it answers, and the API server accepts it", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    const answer = await deliver(gateway, published.route, aComment());
    expect(answer).toMatchObject({ status: 202, body: { status: "accepted" } });
    const task = await client.get(AgentTaskKind, {
      namespace: published.namespace,
      name: answer.body.task?.name ?? "",
    });
    expect(task).toMatchObject({
      metadata: { finalizers: ["bellhop.dev/cleanup"], labels: { "bellhop.dev/integration": "shop" } },
      spec: { source: { cause: "issue_comment/7001", trigger: "mention" }, conversation: "5#42" },
    });
  });

  it("counts deliveries, and its calls to the API server with the metric name of client-go", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    await deliver(gateway, published.route, aComment());
    const metrics = await (await request(`${gateway.probes}/metrics`)).body.text();
    expect(metrics).toMatch(/^bellhop_gateway_deliveries_total\{provider="github",result="accepted",\S+\} 1$/m);
    expect(metrics).toMatch(/^rest_client_requests_total\{code="201",method="POST"\} 1$/m);
  });

  it("creates one task for one cause, even if two gateways receive it at once and it is delivered again with another id", async () => {
    const published = await aPublishedIntegration(client);
    const gateways = [await aRunningGateway(published.env), await aRunningGateway(published.env)];
    const both = await Promise.all(
      Array.from({ length: 10 }, (_, at) => deliver(gateways[at % 2] ?? { url: "" }, published.route, aComment())),
    );
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...Array<number>(9).fill(200), 202]);
    const again = await deliver(gateways[1] ?? { url: "" }, published.route, aComment(), {
      deliveryId: "another-guid",
    });
    expect(again).toMatchObject({ status: 200, body: { status: "duplicate" } });
    expect(await published.tasks()).toHaveLength(1);
  });

  it("truncates a text of more than 64 KiB, with a visible mark", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    const answer = await deliver(gateway, published.route, aComment({ body: `@bellhop ${"€".repeat(100_000)}` }));
    expect(answer.status).toBe(202);
    const task = await client.get(AgentTaskKind, {
      namespace: published.namespace,
      name: answer.body.task?.name ?? "",
    });
    expect(task.spec.prompt).toMatch(/cut by Bellhop at 64 KiB\]$/);
  });

  it("refuses deliveries without a signature or above the size limit, and stores nothing of them", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    const text = JSON.stringify(aComment());
    const { "x-hub-signature-256": _, ...missing } = signedHeaders(text);
    expect((await deliver(gateway, published.route, text, { headers: missing })).status).toBe(401);
    expect((await deliver(gateway, published.route, text, { key: Buffer.from("wrong") })).status).toBe(401);
    expect((await deliver(gateway, published.route, "x".repeat(26 * 1024 * 1024))).status).toBe(413);
    expect(await published.tasks()).toEqual([]);
    expect((await deliver(gateway, published.route, text, { key: previousHookKey })).status).toBe(202);
  });

  it("loads new keys without a restart, and shows their generation in /readyz", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    const key = Buffer.from("the-next-secret");
    const uid = published.integration.metadata.uid ?? "";
    const entry = anEntry({
      route: published.route,
      keys: [key.toString("base64")],
      members: [{ kind: "GitHubIntegration", namespace: published.namespace, name: "shop", uid }],
    });
    const data = encodeGatewayKeys({ generation: 2, routes: new Map([[published.route, entry]]) });
    await client.mergePatch(secrets, { namespace: published.namespace, name: "bellhop-gateway-keys" }, { data });
    expect((await deliver(gateway, published.route, aComment(), { key })).status).toBe(202);
    expect((await deliver(gateway, published.route, aComment())).status).toBe(401);
    const ready = await request(`${gateway.probes}/readyz`);
    expect([ready.statusCode, await ready.body.json()]).toEqual([200, { ok: true, reasons: [], generation: 2 }]);
  });

  it("creates no tasks for an integration as soon as it is suspended", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    const key = { namespace: published.namespace, name: "shop" };
    await client.mergePatch(GitHubIntegrationKind, key, { spec: { suspend: true } });
    await eventually(
      async () => (await deliver(gateway, published.route, aComment({ body: "@bellhop" }))).body.reason === "Suspended",
      { describe: "the gateway to see the suspension" },
    );
  });

  it("ignores deliveries for a namespace that is being deleted", async () => {
    const published = await aPublishedIntegration(client);
    const gateway = await aRunningGateway(published.env);
    await client.delete(namespaces, { name: published.namespace });
    const answer = await deliver(gateway, published.route, aComment());
    expect(answer).toMatchObject({ status: 200, body: { status: "ignored", reason: "NamespaceTerminating" } });
  });

  it("answers 503 if the quota is used up", async () => {
    const published = await aPublishedIntegration(client);
    const hard = { "count/agenttasks.bellhop.dev": "0" };
    const quota = await client.create(quotas, {
      metadata: { name: "none", namespace: published.namespace },
      spec: { hard },
    });
    // No controller counts objects here, so the test writes the status that admission reads.
    await client.replaceStatus(quotas, { ...quota, status: { hard, used: { "count/agenttasks.bellhop.dev": "0" } } });
    const gateway = await aRunningGateway(published.env);
    await eventually(
      async () => (await deliver(gateway, published.route, aComment())).body.reason === "QuotaExceeded",
      {
        describe: "the quota to hold",
      },
    );
    const answer = await deliver(gateway, published.route, aComment());
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "10"]);
    await client.delete(quotas, { namespace: published.namespace, name: "none" });
    await eventually(async () => [200, 202].includes((await deliver(gateway, published.route, aComment())).status), {
      describe: "the task to be stored once there is room",
    });
    expect(await published.tasks()).toHaveLength(1);
  });
});

describe("the gateway without its API server", () => {
  let own: ControlPlane;
  beforeAll(async () => {
    own = await startControlPlane();
  });
  afterAll(() => own.stop());

  it(
    "answers 503, stays ready, and accepts the same delivery when the server is back",
    { timeout: 120_000 },
    async () => {
      const { client } = await connect({ kubeconfig: own.kubeconfigPath });
      cleanUp.push(() => client.close());
      await installCrds(client);
      const published = await aPublishedIntegration(client);
      const gateway = await aRunningGateway({ ...published.env, BELLHOP_STORE_TIMEOUT_MS: "3000" }, own.kubeconfigPath);
      await own.stopApiServer();
      const away = await deliver(gateway, published.route, aComment());
      expect(away).toMatchObject({ status: 503, body: { status: "refused", reason: "NotStored" } });
      expect(Number(away.headers["retry-after"])).toBeGreaterThan(0);
      const ready = await request(`${gateway.probes}/readyz`);
      expect(ready.statusCode).toBe(200);
      await ready.body.dump();
      await own.startApiServer();
      await eventually(async () => [200, 202].includes((await deliver(gateway, published.route, aComment())).status), {
        describe: "the gateway to store again",
        timeoutMs: 30_000,
      });
      expect(await published.tasks()).toHaveLength(1);
    },
  );
});

describe("a gateway that is killed between request and answer", () => {
  it(
    "has stored every delivery that it acknowledged, and accepts the others when they are sent again",
    { timeout: 120_000 },
    async () => {
      const published = await aPublishedIntegration(client);
      const acknowledged: number[] = [];
      const ids = Array.from({ length: 60 }, (_, at) => 8_000 + at);
      const child = await aGatewayProcess(published.env);
      let killed = false;
      await Promise.allSettled(
        ids.map(async (id, at) => {
          // Sends a few at a time: when the gateway is killed, some deliveries are answered, some are in progress and some are not sent yet.
          await eventually(() => killed || acknowledged.length >= at - 8, {
            describe: "my turn",
            timeoutMs: 30_000,
            everyMs: 5,
          });
          const answer = await deliver(child, published.route, aComment({ id }));
          if (answer.status === 202) acknowledged.push(id);
          if (acknowledged.length === 20 && !killed) {
            killed = true;
            child.process.kill("SIGKILL");
          }
        }),
      );
      expect(killed).toBe(true);
      expect(acknowledged.length).toBeLessThan(ids.length);
      const stored = new Set(
        (await client.list(AgentTaskKind, { namespace: published.namespace })).items.map(
          ({ spec }) => spec.source.cause,
        ),
      );
      expect(acknowledged.filter((id) => !stored.has(`issue_comment/${id}`))).toEqual([]);
      const next = await aRunningGateway(published.env);
      for (const id of ids)
        expect([200, 202]).toContain((await deliver(next, published.route, aComment({ id }))).status);
      expect(await published.tasks()).toHaveLength(ids.length);
    },
  );
});

/** A gateway as a separate process, on ports that it logs. */
async function aGatewayProcess(env: Record<string, string>): Promise<{ url: string; process: ChildProcess }> {
  const main = join(import.meta.dirname, "../../src/gateway/main.ts");
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env["PATH"], KUBECONFIG: kubeconfig, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanUp.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const port = await eventually(() => /"port":(\d+).*"message":"listening for deliveries"/.exec(log)?.[1], {
    describe: "the gateway process to take deliveries",
    timeoutMs: 30_000,
  });
  return { url: `http://127.0.0.1:${port}`, process: child };
}

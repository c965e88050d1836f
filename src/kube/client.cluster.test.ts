import { type Server, type Socket, connect as connectTcp, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from "vitest";
import { aNamespace, eventually } from "../../test/cluster/namespace.ts";
import { systemClock } from "../shared/clock.ts";
import { silentLogger } from "../shared/log.ts";
import { updateStatus } from "./apply.ts";
import { createKubeClient } from "./client.ts";
import { conditionsEqual, setCondition } from "./conditions.ts";
import { connect } from "./config.ts";
import { isAlreadyExists, isConflict, isNamespaceTerminating, isNotFound, isQuotaExceeded } from "./errors.ts";
import { createEventRecorder } from "./events.ts";
import { addFinalizer, removeFinalizer } from "./finalizers.ts";
import { configMaps, events, namespaces, pods, serviceAccounts, tokenReviews } from "./resources.ts";
import { installThings, things, type Thing } from "./things/testing.ts";
import type { KubeConfig, KubeConnection, KubeObject, ResourceType } from "./types.ts";

let client: KubeConnection;
let config: KubeConfig;
let namespace: string;

beforeAll(async () => {
  ({ client, config } = await connect({ kubeconfig: inject("kubeconfigPath") }));
  await installThings(client);
});
beforeEach(async () => {
  namespace = await aNamespace(client);
});
afterAll(() => client.close());

const at = (name: string) => ({ metadata: { namespace, name } });
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );

describe("client", () => {
  it("makes 200 calls, 20 at a time, over one TLS connection", async () => {
    const proxy = await countingProxy(new URL(config.server));
    const counted = createKubeClient({ ...config, server: proxy.url });
    onTestFinished(async () => {
      await counted.close();
      proxy.close();
    });
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 20 }, () => counted.list(configMaps, { namespace })));
    }
    expect(proxy.connections()).toBe(1);
  });

  it("creates, reads, replaces, patches, lists by label and deletes", async () => {
    const created = await client.create(configMaps, { ...at("x"), data: { a: "1" } });
    expect(created).toMatchObject({ kind: "ConfigMap", data: { a: "1" }, metadata: { uid: expect.any(String) } });
    const replaced = await client.replace(configMaps, { ...created, data: { a: "2" } });
    expect(isConflict(await failureOf(client.replace(configMaps, created)))).toBe(true);
    await client.mergePatch(configMaps, replaced.metadata, { metadata: { labels: { team: "x" } }, data: { b: "3" } });
    await client.jsonPatch(configMaps, replaced.metadata, [{ op: "remove", path: "/data/a" }]);
    const list = await client.list(configMaps, { namespace, labelSelector: "team=x" });
    expect(list.items.map(({ data }) => data)).toEqual([{ b: "3" }]);
    expect(isConflict(await failureOf(client.delete(configMaps, created.metadata, { uid: "another" })))).toBe(true);
    await client.delete(configMaps, created.metadata, { uid: created.metadata.uid ?? "" });
    expect(await client.find(configMaps, created.metadata)).toBeUndefined();
    expect(isNotFound(await failureOf(client.get(configMaps, created.metadata)))).toBe(true);
  });

  it("reads 1,100 objects page by page", async () => {
    const names = Array.from({ length: 1_100 }, (_, index) => `many-${index}`);
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map((name) => client.create(things, at(name))));
    }
    const { items } = await client.list(things, { namespace });
    expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(1_100);
    expect(items).toHaveLength(1_100);
  });

  it("owns the fields it applies, and does not change fields of others", async () => {
    const apply = (spec: Thing["spec"] & object, fieldManager: string) =>
      client.apply(things, { ...at("x"), spec }, { fieldManager });
    await apply({ size: 1 }, "operator");
    await apply({ colour: "red" }, "person");
    expect((await apply({ size: 2 }, "operator")).spec).toEqual({ size: 2, colour: "red" });
    expect((await apply({ size: 3 }, "person")).spec).toEqual({ size: 3 });
    const dry = await client.apply(things, { ...at("x"), spec: { size: 9 } }, { fieldManager: "o", dryRun: true });
    expect(dry.spec?.size).toBe(9);
    expect((await client.get(things, { namespace, name: "x" })).spec?.size).toBe(3);
  });

  it("applies a status without touching the spec", async () => {
    await client.create(things, { ...at("x"), spec: { size: 1 } });
    const status = { status: { observed: 1 } };
    const after = await client.apply(things, { ...at("x"), ...status }, { fieldManager: "o", subresource: "status" });
    expect(after).toMatchObject({ spec: { size: 1 }, status: { observed: 1 } });
  });

  it("gets a token bound to a pod, and a review that names the pod", async () => {
    const spec = { containers: [{ name: "agent", image: "example.test/agent:1" }] };
    const pod = await client.create(pods, { ...at("agent"), spec });
    const made = await client.createSubresource<{ status: { token: string } }>(
      serviceAccounts,
      { namespace, name: "default" },
      "token",
      {
        spec: {
          audiences: ["bellhop-broker"],
          boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "agent", uid: pod.metadata.uid },
        },
      },
    );
    const review = await client.create(tokenReviews, {
      metadata: { name: "" },
      spec: { token: made.status.token, audiences: ["bellhop-broker"] },
    });
    expect(review.status).toMatchObject({
      authenticated: true,
      user: { extra: { "authentication.kubernetes.io/pod-name": ["agent"] } },
    });
  });

  it("distinguishes the failures of a real server", async () => {
    await client.create(things, at("x"));
    expect(isAlreadyExists(await failureOf(client.create(things, at("x"))))).toBe(true);
    const invalid = await failureOf(client.create(things, { ...at("Not a name") }));
    expect(invalid).toMatchObject({ status: 422, reason: "Invalid", retryable: false });
    const { metadata } = await client.create(quotas, { ...at("q"), spec: { hard: { "count/configmaps": "1" } } });
    await client.mergePatch(quotas, metadata, quotaUsed, { subresource: "status" });
    const overQuota = () => failureOf(client.create(configMaps, at("over")));
    await eventually(async () => isQuotaExceeded(await overQuota()), { describe: "the quota to refuse a config map" });
    await client.delete(namespaces, { name: namespace });
    expect(isNamespaceTerminating(await failureOf(client.create(things, at("late"))))).toBe(true);
  });
});

describe("status and conditions", () => {
  it("round-trip without a difference, so that the second write does not happen", async () => {
    const made = await client.create(things, { ...at("x"), spec: { size: 1 } });
    const ready = {
      type: "Ready",
      status: "True",
      reason: "Ok",
      message: "All is well.",
      observedGeneration: 1,
    } as const;
    const conditions = setCondition(undefined, ready, new Date());
    const after = await updateStatus(client, things, made, { observed: 1, conditions });
    expect(conditionsEqual(after.status?.conditions, conditions)).toBe(true);
    const later = setCondition(after.status?.conditions, ready, new Date(Date.now() + 60_000));
    const again = await updateStatus(client, things, after, { conditions: later, observed: 1 });
    expect(again.metadata.resourceVersion).toBe(after.metadata.resourceVersion);
    expect((await client.get(things, made.metadata)).metadata.resourceVersion).toBe(after.metadata.resourceVersion);
  });

  it("reject a write that is not based on the newest version", async () => {
    const made = await client.create(things, at("x"));
    await updateStatus(client, things, made, { observed: 1 });
    expect(isConflict(await failureOf(updateStatus(client, things, made, { observed: 2 })))).toBe(true);
  });
});

describe("finalizers", () => {
  it("keep an object until they are removed, also if others change the list meanwhile", async () => {
    const stale = await client.create(things, at("x"));
    await addFinalizer(client, things, stale, "bellhop.dev/other");
    const both = await addFinalizer(client, things, stale, "bellhop.dev/ours");
    expect(both.metadata.finalizers).toEqual(["bellhop.dev/other", "bellhop.dev/ours"]);
    await client.delete(things, stale.metadata);
    expect((await client.get(things, stale.metadata)).metadata.deletionTimestamp).toBeDefined();
    await removeFinalizer(client, things, both, "bellhop.dev/other");
    expect(await client.find(things, stale.metadata)).toBeDefined();
    await removeFinalizer(client, things, both, "bellhop.dev/ours");
    expect(await client.find(things, stale.metadata)).toBeUndefined();
    await expect(removeFinalizer(client, things, both, "bellhop.dev/ours")).resolves.toBeUndefined();
  });

  it("are not added to an object that is being deleted", async () => {
    const made = await client.create(things, { metadata: { ...at("x").metadata, finalizers: ["bellhop.dev/other"] } });
    await client.delete(things, made.metadata);
    expect(await failureOf(addFinalizer(client, things, made, "bellhop.dev/ours"))).toMatchObject({ status: 422 });
  });
});

describe("Events", () => {
  it("are accepted by the server, also as a series", async () => {
    const thing = await client.create(things, at("x"));
    const warnings: object[] = [];
    const log = { ...silentLogger, warn: (fields: object) => warnings.push(fields) };
    const recorder = createEventRecorder({ client, component: "bellhop.dev/test", clock: systemClock, log });
    for (let i = 0; i < 3; i++) {
      recorder.record(thing, { type: "Warning", reason: "Odd", message: "Something is odd.", action: "Look" });
    }
    await recorder.flush();
    expect(warnings).toEqual([]);
    const { items } = await client.list(events, { namespace });
    expect(items).toMatchObject([
      { regarding: { kind: "Thing", name: "x" }, note: "Something is odd.", series: { count: 3 } },
    ]);
  });
});

const quotas: ResourceType<KubeObject & { spec: object }> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};

/** No quota controller runs here, so the test writes the used amount. */
const quotaUsed = { status: { hard: { "count/configmaps": "1" }, used: { "count/configmaps": "1" } } };

/** A proxy to the API server that counts the connections. */
async function countingProxy(target: URL): Promise<{ url: string; connections: () => number; close: () => void }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections += 1;
    const upstream = connectTcp(Number(target.port), target.hostname);
    for (const end of [socket, upstream]) sockets.add(end.on("error", () => undefined));
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

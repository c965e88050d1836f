import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aNamespace } from "../../test/cluster/namespace.ts";
import { connect } from "./config.ts";
import { createFakeClient } from "./testing.ts";
import { installThings, things, type Thing } from "./things/testing.ts";
import type { KubeClient, KubeConnection } from "./types.ts";
import type { ObjectMeta } from "../shared/object-meta.ts";

let server: KubeConnection;
beforeAll(async () => {
  ({ client: server } = await connect({ kubeconfig: inject("kubeconfigPath") }));
  await installThings(server);
});
afterAll(() => server.close());

/** Unit tests trust the fake client, so it must do in each of these cases what a real API server does. */
describe.each([
  { name: "the fake client", isReal: false },
  { name: "a real API server", isReal: true },
])("$name", ({ isReal }) => {
  let client: KubeClient;
  let namespace: string;
  beforeEach(async () => {
    client = isReal ? server : createFakeClient();
    namespace = isReal ? await aNamespace(server) : "team";
  });

  const create = (over: Omit<Thing, "metadata"> & { metadata?: Partial<ObjectMeta> } = {}): Promise<Thing> =>
    client.create(things, { spec: { size: 1 }, ...over, metadata: { namespace, name: "x", ...over.metadata } });
  const read = (): Promise<Thing> => client.get(things, { namespace, name: "x" });
  const refusal = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => "accepted",
      ({ status, reason }: { status: number; reason: string }) => [status, reason],
    );

  it("sets uid, version, generation and time of creation, and ignores the status of a new object", async () => {
    const thing = await create({ status: { observed: 9 }, metadata: { uid: "mine", generation: 7 } });
    expect(thing.metadata).toMatchObject({
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      resourceVersion: expect.stringMatching(/^\d+$/),
      generation: 1,
      creationTimestamp: expect.stringMatching(/^[\d-]{10}T[\d:]{8}Z$/),
    });
    expect(thing.status).toBeUndefined();
  });

  it("refuses an existing name, and finds nothing under an unknown one", async () => {
    await create();
    expect(await refusal(create())).toEqual([409, "AlreadyExists"]);
    const other = { namespace, name: "y" };
    expect(await refusal(client.get(things, other))).toEqual([404, "NotFound"]);
    expect(await client.find(things, other)).toBeUndefined();
    expect(await refusal(client.replace(things, { metadata: { ...other, resourceVersion: "1" } }))).toEqual([
      404,
      "NotFound",
    ]);
    expect(await refusal(client.mergePatch(things, other, { spec: {} }))).toEqual([404, "NotFound"]);
    expect(await client.delete(things, other)).toBeUndefined();
  });

  it("refuses every write that names an older version or another uid", async () => {
    const old = await create();
    await client.replace(things, { ...old, spec: { size: 2 } });
    const conflict = [409, "Conflict"];
    expect(await refusal(client.replace(things, { ...old, spec: { size: 3 } }))).toEqual(conflict);
    expect(await refusal(client.replaceStatus(things, { ...old, status: { observed: 3 } }))).toEqual(conflict);
    const { resourceVersion } = old.metadata;
    const body = { metadata: { resourceVersion }, spec: { size: 3 } };
    expect(await refusal(client.mergePatch(things, old.metadata, body))).toEqual(conflict);
    const fresh = await read();
    const another = { ...fresh, metadata: { ...fresh.metadata, uid: "another" }, spec: { size: 3 } };
    expect(await refusal(client.replace(things, another))).toEqual(conflict);
    expect(await refusal(client.delete(things, old.metadata, { uid: "another" }))).toEqual(conflict);
    expect(await read()).toEqual(fresh);
  });

  it("counts generations by the spec, and versions by every change", async () => {
    const one = await create();
    const { metadata: two } = await client.replaceStatus(things, { ...one, status: { observed: 1 } });
    expect(two).toMatchObject({ generation: 1 });
    expect(two.resourceVersion).not.toBe(one.metadata.resourceVersion);
    const three = await client.mergePatch(things, two, { metadata: { labels: { a: "b" } } });
    expect(three.metadata).toMatchObject({ generation: 1, labels: { a: "b" } });
    const four = await client.mergePatch(things, two, { spec: { colour: "red" } });
    expect(four).toMatchObject({ metadata: { generation: 2 }, spec: { size: 1, colour: "red" } });
  });

  it("keeps the version if a write changes nothing", async () => {
    const { metadata } = await create();
    const { resourceVersion } = await client
      .mergePatch(things, metadata, { spec: { size: 1 } })
      .then((x) => x.metadata);
    expect(resourceVersion).toBe(metadata.resourceVersion);
    const same = await client.replace(things, await read());
    expect(same.metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  it("keeps status and other fields apart", async () => {
    const thing = await create();
    const written = await client.replaceStatus(things, { ...thing, spec: { size: 5 }, status: { observed: 1 } });
    expect(written).toMatchObject({ spec: { size: 1 }, status: { observed: 1 } });
    const replaced = await client.replace(things, { ...written, spec: { size: 2 }, status: { observed: 2 } });
    expect(replaced).toMatchObject({ spec: { size: 2 }, status: { observed: 1 } });
    const both = { spec: { size: 3 }, status: { observed: 3 } };
    const main = await client.mergePatch(things, thing.metadata, both);
    expect(main).toMatchObject({ spec: { size: 3 }, status: { observed: 1 } });
    const status = await client.mergePatch(things, thing.metadata, { ...both, spec: null }, { subresource: "status" });
    expect(status).toMatchObject({ spec: { size: 3 }, status: { observed: 3 } });
    const operations = [{ op: "replace" as const, path: "/status/observed", value: 4 }];
    const json = await client.jsonPatch(things, thing.metadata, operations, { subresource: "status" });
    expect(json.status).toEqual({ observed: 4 });
  });

  it("applies a JSON patch as a whole or not at all", async () => {
    const { metadata } = await create();
    const operations = [
      { op: "replace" as const, path: "/spec/size", value: 2 },
      { op: "test" as const, path: "/metadata/uid", value: "another" },
    ];
    expect(await refusal(client.jsonPatch(things, metadata, operations))).toEqual([422, "Invalid"]);
    const missing = [{ op: "remove" as const, path: "/spec/colour" }];
    expect(await refusal(client.jsonPatch(things, metadata, missing))).toEqual([422, "Invalid"]);
    const nowhere = [{ op: "add" as const, path: "/metadata/annotations/a", value: "b" }];
    expect(await refusal(client.jsonPatch(things, metadata, nowhere))).toEqual([422, "Invalid"]);
    expect((await read()).spec).toEqual({ size: 1 });
    const add = [
      { op: "test" as const, path: "/metadata/annotations", value: null },
      { op: "add" as const, path: "/metadata/annotations", value: { "a/b": "c" } },
      { op: "replace" as const, path: "/metadata/annotations/a~1b", value: "d" },
    ];
    expect((await client.jsonPatch(things, metadata, add)).metadata.annotations).toEqual({ "a/b": "d" });
  });

  it("creates and changes an object by apply", async () => {
    const apply = (spec: Thing["spec"] & object): Promise<Thing> =>
      client.apply(things, { metadata: { namespace, name: "x" }, spec }, { fieldManager: "test" });
    expect(await apply({ size: 1 })).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1 } });
    expect(await apply({ size: 2 })).toMatchObject({ metadata: { generation: 2 }, spec: { size: 2 } });
  });

  it("removes a deleted object when its last finalizer is gone", async () => {
    const { metadata } = await create({ metadata: { finalizers: ["bellhop.dev/x"] } });
    await client.delete(things, metadata);
    const deleted = await read();
    expect(deleted.metadata).toMatchObject({ deletionTimestamp: expect.any(String) as string, generation: 2 });
    await client.delete(things, metadata);
    const { deletionTimestamp: _, ...undeleted } = deleted.metadata;
    expect((await client.replace(things, { ...deleted, metadata: undeleted })).metadata).toEqual(deleted.metadata);
    await client.mergePatch(things, metadata, { metadata: { finalizers: null } });
    expect(await refusal(read())).toEqual([404, "NotFound"]);
  });

  it.each([
    ["app=a", ["one", "two"]],
    ["app==a,tier", ["one"]],
    ["app!=a", ["none", "three"]],
    ["!app", ["none"]],
    ["app in (b, c)", ["three"]],
    ["app notin (a),app", ["three"]],
    ["app=a,tier in (x,y),app", ["one"]],
  ])("lists by the label selector %s", async (labelSelector, names) => {
    await create({ metadata: { name: "one", labels: { app: "a", tier: "x" } } });
    await create({ metadata: { name: "two", labels: { app: "a" } } });
    await create({ metadata: { name: "three", labels: { app: "b" } } });
    await create({ metadata: { name: "none" } });
    const { items } = await client.list(things, { namespace, labelSelector });
    expect(items.map(({ metadata }) => metadata.name).toSorted()).toEqual(names);
    expect(await refusal(client.list(things, { namespace, labelSelector: "app in b" }))).toEqual([400, "BadRequest"]);
  });
});

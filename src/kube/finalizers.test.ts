import { describe, expect, it } from "vitest";
import { updateStatus } from "./apply.ts";
import { addFinalizer, hasFinalizer, removeFinalizer } from "./finalizers.ts";
import { pods } from "./resources.ts";
import { failure } from "./memory/testing.ts";
import { createFakeClient } from "./testing.ts";

const ours = "bellhop.dev/harvest";
const x = { namespace: "team", name: "x" };

function seeded(finalizers?: string[]) {
  const client = createFakeClient();
  const pod = client.seed(pods, { metadata: { ...x, uid: "u-1", ...(finalizers ? { finalizers } : {}) } });
  const now = () => client.objects(pods)[0]?.metadata.finalizers;
  return { client, pod, now };
}

describe("addFinalizer", () => {
  it.each([[undefined], [[]], [["other"]]])("adds to %j, and returns the new object", async (before) => {
    const { client, pod, now } = seeded(before);
    const after = await addFinalizer(client, pods, pod, ours);
    expect(after.metadata.finalizers).toEqual([...(before ?? []), ours]);
    expect(now()).toEqual(after.metadata.finalizers);
  });

  it("writes nothing if the finalizer exists already", async () => {
    const { client, pod } = seeded([ours]);
    expect(await addFinalizer(client, pods, pod, ours)).toBe(pod);
    expect(client.calls).toEqual([]);
  });

  it("retries if another writer was first, and keeps the other change", async () => {
    const { client, pod, now } = seeded();
    await addFinalizer(client, pods, pod, "other");
    await addFinalizer(client, pods, pod, ours);
    expect(now()).toEqual(["other", ours]);
  });

  it("throws if the object is deleted", async () => {
    const { client, pod } = seeded();
    await client.delete(pods, x);
    await expect(addFinalizer(client, pods, pod, ours)).rejects.toThrow(/it is gone/);
  });

  it("never changes another object with the same name", async () => {
    const { client, pod, now } = seeded();
    client.seed(pods, { metadata: { ...x, uid: "u-2" } });
    await expect(addFinalizer(client, pods, pod, ours)).rejects.toThrow(/it is gone/);
    expect(now()).toBeUndefined();
  });

  it("throws errors other than a conflict", async () => {
    const { client, pod } = seeded();
    client.before = () => {
      throw failure(403, "Forbidden");
    };
    await expect(addFinalizer(client, pods, pod, ours)).rejects.toMatchObject({ status: 403 });
    expect(client.calls).toHaveLength(1);
  });
});

describe("removeFinalizer", () => {
  it("removes only this finalizer, also if its position changed meanwhile", async () => {
    const { client, pod, now } = seeded(["first", ours, "last"]);
    await removeFinalizer(client, pods, pod, "first");
    await removeFinalizer(client, pods, pod, ours);
    expect(now()).toEqual(["last"]);
    expect(hasFinalizer(pod, ours)).toBe(true);
  });

  it("does nothing if the object is deleted", async () => {
    const { client, pod } = seeded([ours]);
    const going = client.seed(pods, {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    });
    await removeFinalizer(client, pods, going, ours);
    expect(client.objects(pods)).toEqual([]);
    await expect(removeFinalizer(client, pods, going, ours)).resolves.toBeUndefined();
  });
});

describe("updateStatus", () => {
  it("writes nothing if the status is equal, in any order of its fields", async () => {
    const client = createFakeClient();
    const pod = client.seed(pods, { metadata: x, status: { phase: "Running", message: "up" } });
    const same = Object.fromEntries(Object.entries({ message: "up", phase: "Running", reason: undefined }));
    expect(await updateStatus(client, pods, pod, same)).toBe(pod);
    expect(client.calls).toEqual([]);
  });

  it("writes a changed status, and does not overwrite a status that was not read", async () => {
    const client = createFakeClient();
    const pod = client.seed(pods, { metadata: x, spec: { containers: [] }, status: { phase: "Pending" } });
    const after = await updateStatus(client, pods, pod, { phase: "Running" });
    expect(after).toMatchObject({ spec: { containers: [] }, status: { phase: "Running" } });
    await expect(updateStatus(client, pods, pod, { phase: "Failed" })).rejects.toMatchObject({ reason: "Conflict" });
    expect(client.objects(pods)[0]?.status?.phase).toBe("Running");
  });
});

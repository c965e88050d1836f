import { beforeEach, describe, expect, it } from "vitest";
import { fakeHost } from "../../integrations/testing.ts";
import { ApiError } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import { createFakeClient, type FakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { createTaskCredentials, secretName, type TaskCredentialsKeeper } from "./broker-secrets.ts";
import { aTask, aThreadTask, noon, shop } from "./testing.ts";

const signal = new AbortController().signal;
const minuteMs = 60_000;
let clock: FakeClock;
let kube: FakeClient;
let hub: ReturnType<typeof fakeHost>;
let keeper: TaskCredentialsKeeper;

beforeEach(() => {
  clock = new FakeClock(noon);
  kube = createFakeClient({ clock });
  hub = fakeHost({ now: () => clock.now() });
  keeper = newKeeper();
});

const newKeeper = (): TaskCredentialsKeeper =>
  createTaskCredentials({ kube, brokerNamespace: "broker", clock, log: silentLogger });
const stored = (name: string): Secret | undefined =>
  kube.objects(secrets).find(({ metadata }) => metadata.name === name);

function file(name: string, task = aTask()): Record<string, unknown> | undefined {
  const text = stored(secretName(task))?.data?.[name];
  return text === undefined ? undefined : JSON.parse(Buffer.from(text, "base64").toString());
}

describe("the tokens of tasks", () => {
  it("stores a read token for the broker under the task's uid, and no push token before a push is allowed", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    expect(stored("task-uid-shop-abc")?.metadata).toMatchObject({
      namespace: "broker",
      labels: { "bellhop.dev/owner-uid": "uid-shop-abc" },
    });
    expect(file("fetch.json")).toMatchObject({ username: "x", cloneURL: "https://github.com/acme/shop.git" });
    expect(hub.state.tokens.get(String(file("fetch.json")?.["password"]))).toBe("read");
    expect(file("push.json")).toBeUndefined();
    await keeper.allowPush(aTask(), hub.host, signal);
    expect(hub.state.tokens.get(String(file("push.json")?.["password"]))).toBe("write");
    expect(file("fetch.json")).toBeDefined();
  });

  it("mints for the repository that was resolved, if the event named none", async () => {
    const thread = aThreadTask({ status: { repository: shop } });
    await keeper.ensureFetch(thread, hub.host, signal);
    expect(file("fetch.json", thread)).toMatchObject({ cloneURL: "https://github.com/acme/shop.git" });
    await expect(keeper.ensureFetch(aThreadTask({ name: "other" }), hub.host, signal)).rejects.toThrow(/no repository/);
  });

  it("mints one token, renews it ten minutes before it expires, and revokes the old one", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    await keeper.ensureFetch(aTask(), hub.host, signal);
    expect(hub.state.minted).toBe(1);
    expect(keeper.refreshAt(aTask())).toEqual(new Date(noon.getTime() + 50 * minuteMs));
    await clock.advance(50 * minuteMs);
    await keeper.ensureFetch(aTask(), hub.host, signal);
    expect([...hub.state.tokens.keys()]).toEqual([file("fetch.json")?.["password"]]);
    expect(hub.state.minted).toBe(2);
  });

  it("revokes a token at once if it could not be stored", async () => {
    const refusal = new ApiError({ status: 403, reason: "Forbidden", message: "the namespace is terminating" });
    kube.before = ({ verb }) => {
      if (verb === "create") throw refusal;
    };
    await expect(keeper.ensureFetch(aTask(), hub.host, signal)).rejects.toBe(refusal);
    expect([hub.state.minted, hub.state.tokens.size, kube.objects(secrets).length]).toEqual([1, 0, 0]);
  });

  it("keeps a token that was stored although the answer of the write was lost", async () => {
    kube.after = ({ verb }) => {
      if (verb === "create") throw new Error("socket hang up");
    };
    await expect(keeper.allowPush(aTask(), hub.host, signal)).rejects.toThrow("socket hang up");
    await keeper.allowPush(aTask(), hub.host, signal);
    expect([...hub.state.tokens.keys()]).toEqual([file("push.json")?.["password"]]);
  });

  it("mints one push token, however often it is called", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    await keeper.allowPush(aTask(), hub.host, signal);
    await keeper.allowPush(aTask(), hub.host, signal);
    expect(hub.state.minted).toBe(2);
  });

  it("revokes both tokens and deletes the Secret at the end", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    await keeper.allowPush(aTask(), hub.host, signal);
    await keeper.revoke(aTask(), hub.host, signal);
    expect(hub.state.tokens.size + kube.objects(secrets).length).toBe(0);
    expect(keeper.holds(aTask())).toBe(false);
  });

  it("keeps the Secret while the provider does not answer, so that the revocation can be retried", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    const away = { ...hub.host, revokeToken: () => Promise.reject(new Error("away")) };
    await expect(keeper.revoke(aTask(), away, signal)).rejects.toThrow("away");
    expect(keeper.holds(aTask()) && kube.objects(secrets).length).toBe(1);
  });

  it("reads the Secrets once, when the operator starts, and each again before it is deleted", async () => {
    const requests: string[] = [];
    await keeper.load(signal);
    kube.before = ({ verb }) => void requests.push(verb);
    await keeper.ensureFetch(aTask(), hub.host, signal);
    await keeper.allowPush(aTask(), hub.host, signal);
    await keeper.revoke(aTask(), hub.host, signal);
    expect(requests).toEqual(["create", "replace", "find", "delete"]);
  });

  it("revokes a token that a former leader stored after this one had read the Secrets", async () => {
    const former = newKeeper();
    await former.ensureFetch(aTask(), hub.host, signal);
    await keeper.load(signal);
    await former.allowPush(aTask(), hub.host, signal);
    await keeper.revoke(aTask(), hub.host, signal);
    expect([hub.state.tokens.size, kube.objects(secrets).length]).toEqual([0, 0]);
  });

  it("reads a Secret again after a failed write, so that it neither loses nor overwrites a token", async () => {
    await keeper.load(signal);
    await keeper.ensureFetch(aTask(), hub.host, signal);
    const secret = stored(secretName(aTask()));
    await kube.replace(secrets, {
      ...secret!,
      metadata: { ...secret!.metadata, labels: { ...secret!.metadata.labels, by: "somebody" } },
    });
    await expect(keeper.allowPush(aTask(), hub.host, signal)).rejects.toMatchObject({ status: 409 });
    await keeper.allowPush(aTask(), hub.host, signal);
    expect([...hub.state.tokens.values()].sort()).toEqual(["read", "write"]);
    expect(stored(secretName(aTask()))?.metadata.labels).toMatchObject({ by: "somebody" });
  });

  it("knows the existing tokens after a restart", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    const next = newKeeper();
    await next.load(signal);
    expect(next.holds(aTask())).toBe(true);
    await next.ensureFetch(aTask(), hub.host, signal);
    expect(hub.state.minted).toBe(1);
  });

  it("deletes the Secrets of tasks that do not exist any more, but none younger than ten minutes", async () => {
    await keeper.ensureFetch(aTask({ name: "alive" }), hub.host, signal);
    await keeper.ensureFetch(aTask({ name: "gone" }), hub.host, signal);
    const isAlive = (uid: string): boolean => uid === "uid-alive";
    await keeper.sweep(isAlive, signal);
    expect(kube.objects(secrets).length).toBe(2);
    await clock.advance(10 * minuteMs);
    await keeper.sweep(isAlive, signal);
    expect(kube.objects(secrets).map(({ metadata }) => metadata.name)).toEqual(["task-uid-alive"]);
  });
});

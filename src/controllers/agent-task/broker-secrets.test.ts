import { beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "../../kube/errors.ts";
import type { Secret } from "../../kube/resources.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import {
  createTaskCredentials,
  secretName,
  type TaskCredentialsDeps,
  type TaskCredentialsKeeper,
} from "./broker-secrets.ts";
import { aTask, fakeHost, noon } from "./testing.ts";

const signal = new AbortController().signal;
const minuteMs = 60_000;
let clock: FakeClock;
let stored: Map<string, Secret>;
let hub: ReturnType<typeof fakeHost>;
let keeper: TaskCredentialsKeeper;
/** Behaviour of the API server for the next Secret. */
let onCreate: (secret: Secret) => void;

beforeEach(() => {
  onCreate = () => undefined;
  clock = new FakeClock(noon);
  stored = new Map();
  hub = fakeHost({ now: () => clock.now() });
  keeper = newKeeper();
});

function put(secret: Secret): Secret {
  const metadata = { ...secret.metadata, creationTimestamp: clock.now().toISOString() };
  stored.set(secret.metadata.name, { ...secret, metadata });
  return secret;
}

function newKeeper(): TaskCredentialsKeeper {
  const kube = {
    find: async (_type: unknown, { name }: { name: string }) => stored.get(name),
    list: async () => ({ items: [...stored.values()], resourceVersion: "1" }),
    create: async (_type: unknown, secret: Secret) => {
      if (stored.has(secret.metadata.name)) throw new ApiError({ status: 409, reason: "AlreadyExists", message: "" });
      onCreate(secret);
      return put(secret);
    },
    replace: async (_type: unknown, secret: Secret) => {
      stored.set(secret.metadata.name, secret);
      return secret;
    },
    delete: async (_type: unknown, { name }: { name: string }) => void stored.delete(name),
  } as unknown as TaskCredentialsDeps["kube"];
  return createTaskCredentials({ kube, brokerNamespace: "broker", clock, log: silentLogger });
}

function file(name: string, task = aTask()): Record<string, unknown> | undefined {
  const text = stored.get(secretName(task))?.data?.[name];
  return text === undefined ? undefined : JSON.parse(Buffer.from(text, "base64").toString());
}

describe("the tokens of tasks", () => {
  it("stores a read token for the broker under the task's uid, and no push token before a push is allowed", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    expect(stored.get("task-uid-shop-abc")?.metadata).toMatchObject({
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
    onCreate = () => {
      throw refusal;
    };
    await expect(keeper.ensureFetch(aTask(), hub.host, signal)).rejects.toBe(refusal);
    expect([hub.state.minted, hub.state.tokens.size, stored.size]).toEqual([1, 0, 0]);
  });

  it("keeps a token that was stored although the answer of the write was lost", async () => {
    onCreate = (secret) => {
      put(secret);
      throw new Error("socket hang up");
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
    expect(hub.state.tokens.size + stored.size).toBe(0);
    expect(keeper.holds(aTask())).toBe(false);
  });

  it("keeps the Secret while the provider does not answer, so that the revocation can be retried", async () => {
    await keeper.ensureFetch(aTask(), hub.host, signal);
    const away = { ...hub.host, revokeToken: () => Promise.reject(new Error("away")) };
    await expect(keeper.revoke(aTask(), away, signal)).rejects.toThrow("away");
    expect(keeper.holds(aTask()) && stored.size).toBe(1);
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
    expect(stored.size).toBe(2);
    await clock.advance(10 * minuteMs);
    await keeper.sweep(isAlive, signal);
    expect([...stored.keys()]).toEqual(["task-uid-alive"]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { type Logger, silentLogger } from "../shared/log.ts";
import { createKubeClient } from "./client.ts";
import { type InformerOptions, createInformer } from "./informer.ts";
import { type ConfigMap, configMaps } from "./resources.ts";
import type { Change, Informer, KubeConnection } from "./types.ts";
import { type WireRequest, type WireResponse, type WireServer, aStatus, startWireServer } from "./wire/testing.ts";
import { defined } from "../shared/defined.ts";

/** A fake API server with config maps that records its open watches. */
interface Held {
  version: number;
  items: ConfigMap[];
  watches: { request: WireRequest; response: WireResponse }[];
  lists: number;
}

let server: WireServer;
let client: KubeConnection;
let clock: FakeClock;
let stop: AbortController;
let held: Held;

const aMap = (name: string, version: number, more: Partial<ConfigMap> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "default", name, uid: `uid-${name}`, resourceVersion: String(version), ...more.metadata },
  ...defined({ data: more.data }),
});
const added = (object: ConfigMap) => ({ type: "ADDED", object });
const keyOf = (name: string) => ({ namespace: "default", name });
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 5 });

beforeEach(async () => {
  held = { version: 10, items: [aMap("a", 5), aMap("b", 6)], watches: [], lists: 0 };
  server = await startWireServer((request, response) => {
    if (request.query["watch"]) {
      held.watches.push({ request, response });
      response.stream("");
      return;
    }
    held.lists += 1;
    response.json(200, { metadata: { resourceVersion: String(held.version) }, items: held.items });
  });
  client = createKubeClient(server.config);
  clock = new FakeClock();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await client.close();
  await server.close();
});

function start(options: InformerOptions<ConfigMap> = {}, log: Logger = silentLogger) {
  const unreachable = vi.fn();
  const informer = createInformer({ client, clock, log, onUnreachable: unreachable }, configMaps, options);
  const changes: Change<ConfigMap>[] = [];
  informer.onChange((change) => changes.push(change));
  informer.start(stop.signal);
  return { informer, changes, unreachable };
}

const namesOf = (informer: Informer<ConfigMap>): string[] =>
  informer.store.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);

/** Waits for the nth watch (from 1); advances the clock, so that back-offs end. */
async function watchNumber(n: number): Promise<Held["watches"][number]> {
  await vi.waitFor(
    async () => {
      if (held.watches.length < n) await clock.advance(100);
      expect(held.watches.length).toBeGreaterThanOrEqual(n);
    },
    { timeout: 30_000, interval: 10 },
  );
  return held.watches[n - 1] as Held["watches"][number];
}

describe("informer", () => {
  it("lists, reports the objects as initial, and watches from there with bookmarks", async () => {
    const { informer, changes } = start({
      namespace: "default",
      labelSelector: "a=b",
      fieldSelector: "metadata.name=a",
    });
    expect(informer.hasSynced).toBe(false);
    await informer.waitForSync(stop.signal);
    expect(informer.hasSynced).toBe(true);
    expect(namesOf(informer)).toEqual(["a@5", "b@6"]);
    expect(changes.map(({ current, initial }) => [current?.metadata.name, initial])).toEqual([
      ["a", true],
      ["b", true],
    ]);
    const { request } = await watchNumber(1);
    expect(request.path).toBe("/api/v1/namespaces/default/configmaps");
    expect(request.query).toMatchObject({
      resourceVersion: "10",
      allowWatchBookmarks: "true",
      labelSelector: "a=b",
      fieldSelector: "metadata.name=a",
    });
    expect(Number(request.query["timeoutSeconds"])).toBeGreaterThanOrEqual(300);
    expect(Number(request.query["timeoutSeconds"])).toBeLessThanOrEqual(360);
  });

  it("follows additions, updates with the old object, and deletions", async () => {
    const { informer, changes } = start();
    const { response } = await watchNumber(1);
    changes.length = 0;
    response.stream(added(aMap("c", 11)), { type: "MODIFIED", object: aMap("a", 12) });
    response.stream({ type: "DELETED", object: aMap("b", 13) });
    await eventually(() => expect(changes).toHaveLength(3));
    expect(
      changes.map(({ old, current }) => [old?.metadata.resourceVersion, current?.metadata.resourceVersion]),
    ).toEqual([
      [undefined, "11"],
      ["5", "12"],
      ["6", undefined],
    ]);
    expect(namesOf(informer)).toEqual(["a@12", "c@11"]);
  });

  it("continues from the last version after a connection reset, without a list, and reports the interruption", async () => {
    const { informer, unreachable } = start();
    const first = await watchNumber(1);
    first.response.stream(added(aMap("c", 11)));
    await eventually(() => expect(namesOf(informer)).toContain("c@11"));
    first.response.reset();
    const second = await watchNumber(2);
    expect(second.request.query["resourceVersion"]).toBe("11");
    second.response.stream(added(aMap("d", 12)));
    await eventually(() => expect(namesOf(informer)).toContain("d@12"));
    expect(held.lists).toBe(1);
    expect(unreachable).toHaveBeenCalledTimes(1);
  });

  it("drops an incomplete event after a reset, and gets it from the next watch", async () => {
    const { informer } = start();
    const first = await watchNumber(1);
    const line = JSON.stringify(added(aMap("c", 11)));
    first.response.stream(line.slice(0, 30));
    first.response.reset();
    const second = await watchNumber(2);
    expect(second.request.query["resourceVersion"]).toBe("10");
    second.response.stream(`${line}\n`);
    await eventually(() => expect(namesOf(informer)).toContain("c@11"));
  });

  it("starts the next watch at a bookmark's version, and trims no bookmark", async () => {
    const trimmed: string[] = [];
    const { informer } = start({ transform: (object) => (trimmed.push(object.metadata.name), object) });
    const first = await watchNumber(1);
    // It has no name, and no other field that a transform may rely on.
    first.response.stream({ type: "BOOKMARK", object: { metadata: { resourceVersion: "99" } } });
    first.response.stream(added(aMap("c", 100)));
    await eventually(() => expect(namesOf(informer)).toContain("c@100"));
    first.response.stream({ type: "BOOKMARK", object: { metadata: { resourceVersion: "199" } } });
    first.response.end();
    expect((await watchNumber(2)).request.query["resourceVersion"]).toBe("199");
    expect(held.lists).toBe(1);
    expect(trimmed).toEqual(["a", "b", "c"]);
  });

  it.each([
    [
      "in the stream",
      (response: WireResponse) => response.stream({ type: "ERROR", object: aStatus(410, "Expired", "old") }),
    ],
    ["as the answer", (response: WireResponse) => response.reset()],
  ])("lists again on 410 %s, and reports the missed changes", async (how, break_) => {
    const { informer, changes } = start();
    const first = await watchNumber(1);
    changes.length = 0;
    held = { ...held, version: 50, items: [aMap("a", 5), aMap("c", 40)] };
    if (how === "as the answer") answerNextWatchWith410();
    break_(first.response);
    const second = await watchNumber(2);
    expect(second.request.query["resourceVersion"]).toBe("50");
    expect(namesOf(informer)).toEqual(["a@5", "c@40"]);
    expect(changes.map(({ old, current, initial }) => [old?.metadata.name, current?.metadata.name, initial])).toEqual([
      ["b", undefined, undefined],
      [undefined, "c", undefined],
    ]);
  });

  function answerNextWatchWith410(): void {
    const usual = server.answer;
    server.answer = (request, response) => {
      if (!request.query["watch"]) return usual(request, response);
      server.answer = usual;
      response.json(410, aStatus(410, "Expired", "too old"));
    };
  }

  it("warns if the API server does not serve the kind, and lists again when it does", async () => {
    const logged: object[] = [];
    const warn = (fields: object, message: string): void => void logged.push({ ...fields, message });
    const { informer } = start({}, { ...silentLogger, warn });
    const first = await watchNumber(1);
    const usual = server.answer;
    let asked = 0;
    server.answer = (_, response) => {
      asked += 1;
      response.text(404, "404 page not found");
    };
    first.response.end();
    await vi.waitFor(
      async () => {
        await clock.advance(1_000);
        expect(asked).toBeGreaterThan(2);
      },
      { timeout: 5_000, interval: 10 },
    );
    expect(namesOf(informer)).toEqual(["a@5", "b@6"]);
    held = { ...held, version: 50, items: [aMap("c", 40)], watches: [] };
    server.answer = usual;
    const next = await watchNumber(1);
    expect(next.request.query["resourceVersion"]).toBe("50");
    expect(namesOf(informer)).toEqual(["c@40"]);
    expect(logged).toContainEqual(
      expect.objectContaining({ kind: "ConfigMap", message: expect.stringMatching(/does not serve this kind/) }),
    );
  });

  it("reports an object that was recreated with the same name as a deletion and an addition", async () => {
    const { changes } = start();
    const { response } = await watchNumber(1);
    changes.length = 0;
    response.stream(added(aMap("a", 20, { metadata: { name: "a", uid: "another" } })));
    await eventually(() => expect(changes).toHaveLength(2));
    expect(changes.map(({ old, current }) => [old?.metadata.uid, current?.metadata.uid])).toEqual([
      ["uid-a", undefined],
      [undefined, "another"],
    ]);
  });

  it("ends a watch that is silent for 150 s, and starts another", async () => {
    start();
    const first = await watchNumber(1);
    first.response.stream({ type: "BOOKMARK", object: { metadata: { resourceVersion: "20" } } });
    await eventually(() => expect(clock.pending).toBe(1));
    await clock.advance(149_000);
    expect(first.response.closed).toBe(false);
    await clock.advance(1_001);
    await eventually(() => expect(first.response.closed).toBe(true));
    await watchNumber(2);
    expect(held.lists).toBe(1);
  });

  it("ends a watch that was silent from the start, too", async () => {
    start();
    const first = await watchNumber(1);
    expect(clock.pending).toBe(1);
    await clock.advance(150_001);
    await eventually(() => expect(first.response.closed).toBe(true));
    expect((await watchNumber(2)).request.query["resourceVersion"]).toBe("10");
  });

  it("does not end a watch that receives data", async () => {
    const { informer } = start();
    const { response } = await watchNumber(1);
    for (let version = 11; version < 16; version++) {
      await clock.advance(100_000);
      response.stream(added(aMap(`c${version}`, version)));
      await eventually(() => expect(informer.store.get(keyOf(`c${version}`))).toBeDefined());
    }
    expect(response.closed).toBe(false);
    expect(held.watches).toHaveLength(1);
  });

  it("retries while the server is unreachable, with growing delays, and then syncs", async () => {
    const usual = server.answer;
    const waits: number[] = [];
    const log = { ...silentLogger, warn: (fields: object) => waits.push((fields as { waitMs: number }).waitMs) };
    server.answer = (_, response) => response.json(503, aStatus(503, "ServiceUnavailable", "starting"));
    const { informer } = start({}, log);
    await vi.waitFor(
      async () => {
        await clock.advance(15_000);
        expect(waits.length).toBeGreaterThan(10);
      },
      { timeout: 30_000, interval: 5 },
    );
    expect(informer.hasSynced).toBe(false);
    expect(waits[0]).toBeLessThanOrEqual(200);
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(7_500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
    server.answer = usual;
    await watchNumber(1);
    expect(namesOf(informer)).toEqual(["a@5", "b@6"]);
  });

  it.each([
    ["20", 20_000],
    ["3600", 60_000],
  ])("waits as long as a busy server asks for, at most a minute: %s s", async (retryAfter, waitMs) => {
    const waits: number[] = [];
    const log = { ...silentLogger, warn: (fields: object) => waits.push((fields as { waitMs: number }).waitMs) };
    const usual = server.answer;
    server.answer = (_, response) =>
      response.json(429, aStatus(429, "TooManyRequests", "slow"), { "retry-after": retryAfter });
    const { informer } = start({}, log);
    await eventually(() => expect(waits).toEqual([waitMs]));
    server.answer = usual;
    await clock.advance(waitMs - 1);
    expect(held.lists).toBe(0);
    await clock.advance(1);
    await informer.waitForSync(stop.signal);
  });

  it("continues when a listener throws, and logs the error", async () => {
    const errors: string[] = [];
    const log = { ...silentLogger, error: (_: object, message: string) => errors.push(message) };
    const informer = createInformer({ client, clock, log }, configMaps);
    const changes: string[] = [];
    informer.onChange(() => {
      throw new Error("a bug");
    });
    informer.onChange(({ current }) => changes.push(current?.metadata.name ?? ""));
    informer.start(stop.signal);
    await informer.waitForSync(stop.signal);
    expect(changes).toEqual(["a", "b"]);
    expect(errors).toEqual(["a listener of an informer threw", "a listener of an informer threw"]);
  });

  it("removes managedFields and applies the transform before an object is stored", async () => {
    const fat = aMap("fat", 7, { data: { keep: "1", drop: "2" } });
    held.items = [{ ...fat, metadata: Object.assign({ managedFields: [{ manager: "x" }] }, fat.metadata) }];
    const { informer, changes } = start({
      transform: ({ data, ...rest }) => ({ ...rest, data: { keep: data?.["keep"] ?? "" } }),
    });
    await informer.waitForSync(stop.signal);
    expect(informer.store.get(keyOf("fat"))).toEqual(aMap("fat", 7, { data: { keep: "1" } }));
    expect(changes[0]?.current).toBe(informer.store.get(keyOf("fat")));
  });

  it("finds by index, also after a change and a deletion", async () => {
    held.items = [aMap("a", 1, { data: { team: "x" } }), aMap("b", 2, { data: { team: "x" } })];
    const { informer } = start({ indexes: { team: ({ data }) => (data?.["team"] ? [data["team"]] : []) } });
    const find = (team: string) => informer.store.byIndex("team", team).map(({ metadata }) => metadata.name);
    const { response } = await watchNumber(1);
    expect(find("x")).toEqual(["a", "b"]);
    response.stream({ type: "MODIFIED", object: aMap("a", 11, { data: { team: "y" } }) });
    response.stream({ type: "DELETED", object: aMap("b", 12) });
    await eventually(() => expect(find("x")).toEqual([]));
    expect(find("y")).toEqual(["a"]);
    expect(() => informer.store.byIndex("other", "x")).toThrow(/no index "other".*team/);
  });

  it("reports existing objects as initial to a listener that is added later", async () => {
    const { informer } = start();
    await informer.waitForSync(stop.signal);
    const changes: Change<ConfigMap>[] = [];
    const remove = informer.onChange((change) => changes.push(change));
    expect(changes.map(({ current, initial }) => [current?.metadata.name, initial])).toEqual([
      ["a", true],
      ["b", true],
    ]);
    remove();
    const { response } = await watchNumber(1);
    response.stream(added(aMap("c", 11)));
    await eventually(() => expect(informer.store.get(keyOf("c"))).toBeDefined());
    expect(changes).toHaveLength(2);
  });

  it("ends its watch when it is stopped, and rejects pending waits for a sync", async () => {
    const { informer } = start();
    const { response } = await watchNumber(1);
    stop.abort(new Error("stopping"));
    await eventually(() => expect(response.closed).toBe(true));
    await expect(informer.waitForSync(stop.signal)).rejects.toThrow("stopping");
    expect(clock.pending).toBe(0);
  });
});

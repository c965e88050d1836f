import { Registry } from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../shared/log.ts";
import { type ManagedInformer, type ManagerOptions, createManager } from "./manager.ts";
import { createProbeServer } from "./probes.ts";

/** Parts that write down when they start and stop. */
function theParts() {
  const story: string[] = [];
  const synced = Promise.withResolvers<void>();
  const led = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  let hasSynced = false;
  const informer: ManagedInformer = {
    get hasSynced() {
      return hasSynced;
    },
    start(signal) {
      story.push("informer starts");
      signal.addEventListener("abort", () => story.push("informer stops"));
    },
    async waitForSync(signal) {
      await orAborted(synced.promise, signal);
      hasSynced = true;
    },
  };
  const options: ManagerOptions = {
    log: silentLogger,
    registry: new Registry(),
    probes: { port: 0, host: "127.0.0.1" },
    informers: { tasks: informer },
    controllers: [
      {
        name: "task",
        start(signal) {
          story.push("controller starts");
          signal.addEventListener("abort", () => story.push("controller stops"));
        },
        async drain() {
          if (story.includes("controller starts")) await drained.promise;
          story.push("controller drained");
        },
      },
    ],
    leader: {
      isLeader: false,
      async acquire(signal) {
        story.push("waits to lead");
        await orAborted(led.promise, signal);
      },
      async release() {
        story.push("lease released");
      },
    },
  };
  return { story, synced, led, drained, options };
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}

async function running(parts: ReturnType<typeof theParts>) {
  const stop = new AbortController();
  const manager = createManager(parts.options);
  const done = manager.run(stop.signal);
  onTestFinished(async () => {
    parts.drained.resolve();
    stop.abort();
    await done;
  });
  const base = `http://127.0.0.1:${await manager.probePort}`;
  const ready = async () => {
    const answer = await fetch(`${base}/readyz`);
    return { status: answer.status, ...((await answer.json()) as { reasons: string[] }) };
  };
  return { stop, done, base, ready };
}

describe("manager", () => {
  it("starts probes, informers, the lead and controllers in order, each when the one before is there", async () => {
    const parts = theParts();
    const { ready } = await running(parts);
    expect(await ready()).toMatchObject({ status: 503, reasons: ["the informer tasks has not synced yet"] });
    expect(parts.story).toEqual(["informer starts"]);
    parts.synced.resolve();
    await expect.poll(() => parts.story).toEqual(["informer starts", "waits to lead"]);
    expect(await ready()).toMatchObject({ status: 200, reasons: [] });
    parts.led.resolve();
    await expect.poll(() => parts.story.at(-1)).toBe("controller starts");
  });

  it("stops in reverse: the lease goes only when the controllers have drained, the informers after", async () => {
    const parts = theParts();
    const { stop, done, ready, base } = await running(parts);
    parts.synced.resolve();
    parts.led.resolve();
    await expect.poll(() => parts.story.at(-1)).toBe("controller starts");
    stop.abort(new Error("stopping"));
    expect(await ready()).toMatchObject({ status: 503, reasons: ["stopping"] });
    expect(parts.story).not.toContain("lease released");
    parts.drained.resolve();
    await done;
    expect(parts.story.slice(3)).toEqual([
      "controller stops",
      "controller drained",
      "lease released",
      "informer stops",
    ]);
    await expect(fetch(`${base}/healthz`)).rejects.toThrow("fetch failed");
  });

  it("stops cleanly while it still waits to sync", async () => {
    const parts = theParts();
    const { stop, done } = await running(parts);
    stop.abort(new Error("stopping"));
    await done;
    expect(parts.story).toEqual(["informer starts", "controller drained", "lease released", "informer stops"]);
  });

  it("stops cleanly while it still waits to lead", async () => {
    const parts = theParts();
    const { stop, done } = await running(parts);
    parts.synced.resolve();
    await expect.poll(() => parts.story.at(-1)).toBe("waits to lead");
    stop.abort(new Error("stopping"));
    await done;
    expect(parts.story).not.toContain("controller starts");
    expect(parts.story.at(-1)).toBe("informer stops");
  });

  it("says so when the probes cannot listen", async () => {
    const first = createProbeServer({
      port: 0,
      host: "127.0.0.1",
      registry: new Registry(),
      ready: () => ({ ok: true, reasons: [] }),
    });
    onTestFinished(() => first.close());
    const { port } = await first.listen();
    const parts = theParts();
    const manager = createManager({ ...parts.options, probes: { port, host: "127.0.0.1" } });
    await expect(manager.run(new AbortController().signal)).rejects.toThrow(/EADDRINUSE/);
    await expect(manager.probePort).rejects.toThrow(/EADDRINUSE/);
    expect(parts.story).toEqual([]);
  });
});

describe("probes", () => {
  it("answer healthz, readyz with facts, and metrics; nothing else, and no odd path ends the process", async () => {
    const registry = new Registry();
    let healthy = true;
    const server = createProbeServer({
      port: 0,
      host: "127.0.0.1",
      registry,
      ready: () => ({ ok: true, reasons: [], facts: { generation: 7 } }),
      healthy: () => ({ ok: healthy, reasons: [] }),
    });
    onTestFinished(() => server.close());
    const base = `http://127.0.0.1:${(await server.listen()).port}`;
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    healthy = false;
    expect((await fetch(`${base}/healthz`)).status).toBe(503);
    expect(await (await fetch(`${base}/readyz?verbose`)).json()).toEqual({ ok: true, reasons: [], generation: 7 });
    expect((await fetch(`${base}/metrics`)).headers.get("content-type")).toContain("text/plain");
    expect((await fetch(`${base}//`)).status).toBe(404);
    expect((await fetch(`${base}/x`)).status).toBe(404);
    registry.metrics = () => Promise.reject(new Error("broken collector"));
    const broken = await fetch(`${base}/metrics`);
    expect([broken.status, await broken.text()]).toEqual([500, "collecting the metrics failed: broken collector\n"]);
  });
});

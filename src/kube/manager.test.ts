import { Registry } from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../shared/log.ts";
import { type ManagedInformer, type ManagerOptions, createManager } from "./manager.ts";
import { createProbeServer } from "./probes.ts";

/** Parts that record when they start and stop. */
function theParts() {
  const steps: string[] = [];
  const synced = Promise.withResolvers<void>();
  const led = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  let hasSynced = false;
  const informer: ManagedInformer = {
    get hasSynced() {
      return hasSynced;
    },
    start(signal) {
      steps.push("informer starts");
      signal.addEventListener("abort", () => steps.push("informer stops"));
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
          steps.push("controller starts");
          signal.addEventListener("abort", () => steps.push("controller stops"));
        },
        async drain() {
          if (steps.includes("controller starts")) await drained.promise;
          steps.push("controller drained");
        },
      },
    ],
    leader: {
      isLeader: false,
      async acquire(signal) {
        steps.push("waits to lead");
        await orAborted(led.promise, signal);
      },
      async release() {
        steps.push("lease released");
      },
    },
  };
  return { steps, synced, led, drained, options };
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
  it("starts probes, informers, the election and controllers in order, each when the previous one is ready", async () => {
    const parts = theParts();
    const { ready } = await running(parts);
    expect(await ready()).toMatchObject({ status: 503, reasons: ["the informer tasks has not synced yet"] });
    expect(parts.steps).toEqual(["informer starts"]);
    parts.synced.resolve();
    await expect.poll(() => parts.steps).toEqual(["informer starts", "waits to lead"]);
    expect(await ready()).toMatchObject({ status: 200, reasons: [] });
    parts.led.resolve();
    await expect.poll(() => parts.steps.at(-1)).toBe("controller starts");
  });

  it("stops in reverse order: releases the lease when the controllers have drained, then stops the informers", async () => {
    const parts = theParts();
    const { stop, done, ready, base } = await running(parts);
    parts.synced.resolve();
    parts.led.resolve();
    await expect.poll(() => parts.steps.at(-1)).toBe("controller starts");
    stop.abort(new Error("stopping"));
    expect(await ready()).toMatchObject({ status: 503, reasons: ["stopping"] });
    expect(parts.steps).not.toContain("lease released");
    parts.drained.resolve();
    await done;
    expect(parts.steps.slice(3)).toEqual([
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
    expect(parts.steps).toEqual(["informer starts", "controller drained", "lease released", "informer stops"]);
  });

  it("stops cleanly while it still waits to lead", async () => {
    const parts = theParts();
    const { stop, done } = await running(parts);
    parts.synced.resolve();
    await expect.poll(() => parts.steps.at(-1)).toBe("waits to lead");
    stop.abort(new Error("stopping"));
    await done;
    expect(parts.steps).not.toContain("controller starts");
    expect(parts.steps.at(-1)).toBe("informer stops");
  });

  it("rejects when the probes cannot listen", async () => {
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
    expect(parts.steps).toEqual([]);
  });
});

describe("probes", () => {
  it("answer healthz, readyz with facts, and metrics; nothing else, and no malformed path ends the process", async () => {
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
    expect([broken.status, await broken.text()]).toEqual([500, "could not collect the metrics: broken collector\n"]);
  });
});

import { Registry } from "prom-client";
import { describe, expect, it, vi } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { sleep } from "../shared/clock.ts";
import { silentLogger } from "../shared/log.ts";
import { withoutWorker } from "../shared/worker.ts";
import { type ControllerOptions, controllerOf, createController, itself } from "./controller.ts";
import { TerminalError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import { failure } from "./memory/testing.ts";
import type { Change, KubeObject, Request } from "./types.ts";

const a: Request = { namespace: "default", name: "a" };

function aController(reconciler: ControllerOptions["reconciler"], options: Partial<ControllerOptions> = {}) {
  const clock = new FakeClock();
  const registry = new Registry();
  const abort = new AbortController();
  const metrics = createKubeMetrics(registry);
  const controller = createController({ name: "test", reconciler, log: silentLogger, metrics, clock, ...options });
  return { clock, registry, abort, controller };
}

/** An informer whose changes the test reports. */
function anInformer(objects: KubeObject[]) {
  const listeners = new Set<(change: Change<KubeObject>) => void>();
  return {
    listeners,
    report: (change: Change<KubeObject>) => listeners.forEach((listener) => listener(change)),
    onChange(listener: (change: Change<KubeObject>) => void) {
      for (const current of objects) listener({ current, initial: true });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const object = (name: string): KubeObject => ({ metadata: { namespace: "default", name } });

describe("controller", () => {
  it("does nothing before it starts, then reconciles the enqueued objects", async () => {
    const seen: string[] = [];
    const { controller, clock, abort } = aController(async ({ name }) => (seen.push(name), {}));
    controller.enqueue(a);
    await clock.advance(10_000);
    expect(seen).toEqual([]);
    controller.start(abort.signal);
    await clock.advance(0);
    expect(seen).toEqual(["a"]);
  });

  it("reconciles again after the delay that a reconcile returned", async () => {
    let runs = 0;
    const { controller, clock, abort } = aController(async () => (++runs === 1 ? { requeueAfterMs: 60_000 } : {}));
    controller.start(abort.signal);
    controller.enqueue(a);
    await clock.advance(59_999);
    expect(runs).toBe(1);
    await clock.advance(1);
    expect(runs).toBe(2);
    await clock.advance(600_000);
    expect(runs).toBe(2);
  });

  it("gives the worker of a reconcile that only waits to others, and starts no second reconcile of its key", async () => {
    const seen: string[] = [];
    const turn = Promise.withResolvers<void>();
    const { controller, clock, abort } = aController(async ({ name }) => {
      seen.push(name);
      if (name === "a") await withoutWorker(turn.promise);
      seen.push(`${name} ends`);
      return {};
    });
    controller.start(abort.signal);
    for (const name of ["a", "b"]) controller.enqueue({ namespace: "default", name });
    await clock.advance(0);
    controller.enqueue(a);
    await clock.advance(0);
    expect(seen).toEqual(["a", "b", "b ends"]);
    turn.resolve();
    for (let key = 0; key < 2; key++) await clock.advance(0);
    expect(seen.slice(3)).toEqual(["a ends", "a", "a ends"]);
  });

  it("drains only when reconciles that wait have ended too", async () => {
    const { controller, clock, abort } = aController(
      async (_request, signal) => {
        await withoutWorker(sleep(clock, 3_600_000, signal));
        return {};
      },
      { graceMs: 1_000 },
    );
    controller.start(abort.signal);
    controller.enqueue(a);
    await clock.advance(0);
    let drained = false;
    abort.abort(new Error("stopping"));
    void controller.drain().then(() => (drained = true));
    await clock.advance(999);
    expect(drained).toBe(false);
    await clock.advance(1);
    expect(drained).toBe(true);
  });

  it("reconciles another namespace next, however many keys of one namespace wait", async () => {
    const seen: string[] = [];
    const { controller, clock, abort } = aController(
      async ({ namespace }) => {
        seen.push(namespace);
        await sleep(clock, 1_000);
        return {};
      },
      { workers: 2 },
    );
    controller.start(abort.signal);
    for (let n = 0; n < 400; n++) controller.enqueue({ namespace: "busy", name: `integration-${n}` });
    await clock.advance(1_000);
    controller.enqueue({ namespace: "neighbour", name: "integration" });
    await clock.advance(0);
    // One worker of two stays free for other namespaces.
    expect(seen).toEqual(["busy", "busy", "neighbour"]);
  });

  it("retries a failure with growing delays, which restart at 5 ms after a success", async () => {
    const at: number[] = [];
    const { controller, clock, abort, registry } = aController(async () => {
      at.push(clock.now().getTime());
      if (at.length !== 4) throw new Error("broken");
      return {};
    });
    controller.start(abort.signal);
    controller.enqueue(a);
    await clock.advance(1_000);
    controller.enqueue(a);
    await clock.advance(5);
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(gaps.slice(0, 3)).toEqual([5, 10, 20]);
    expect(gaps.at(-1)).toBe(5);
    const text = await registry.metrics();
    expect(text).toContain('controller_runtime_reconcile_total{controller="test",result="error"} 5');
    expect(text).toContain('controller_runtime_reconcile_total{controller="test",result="success"} 1');
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="test"} 5');
  });

  it("resets the back-off after a success also without metrics", async () => {
    const [clock, abort] = [new FakeClock(), new AbortController()];
    const at: number[] = [];
    const reconciler = async () => {
      at.push(clock.monotonicMs());
      if (at.length === 3) return { requeueAfterMs: 60_000 };
      throw new Error("broken");
    };
    const controller = createController({ name: "test", reconciler, log: silentLogger, clock });
    controller.start(abort.signal);
    controller.enqueue(a);
    await clock.advance(60_020);
    expect(at).toEqual([0, 5, 15, 60_015, 60_020]);
  });

  it("waits as long as the API server asked for", async () => {
    let runs = 0;
    const busy = Object.assign(failure(429, "TooManyRequests"), { retryAfterMs: 3_000 });
    const { controller, clock, abort } = aController(async () => {
      if (++runs === 1) throw busy;
      return {};
    });
    controller.start(abort.signal);
    controller.enqueue(a);
    await clock.advance(2_999);
    expect(runs).toBe(1);
    await clock.advance(1);
    expect(runs).toBe(2);
  });

  it("does not retry a terminal failure before the object changes", async () => {
    let runs = 0;
    const informer = anInformer([]);
    const { controller, clock, abort, registry } = aController(async () => {
      runs += 1;
      throw new TerminalError("BadSpec", "the spec cannot work");
    });
    controller.watches(informer, itself);
    controller.start(abort.signal);
    informer.report({ current: object("a") });
    await clock.advance(3_600_000);
    expect(runs).toBe(1);
    informer.report({ old: object("a"), current: object("a") });
    await clock.advance(0);
    expect(runs).toBe(2);
    expect(await registry.metrics()).toContain(
      'controller_runtime_terminal_reconcile_errors_total{controller="test"} 2',
    );
  });

  it("reconciles current changes before objects of the initial list", async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { controller, clock, abort } = aController(async ({ name }) => {
      seen.push(name);
      if (name === "gate") await gate.promise;
      return {};
    });
    const informer = anInformer([object("old-1"), object("old-2")]);
    controller.enqueue({ namespace: "default", name: "gate" });
    controller.watches(informer, itself);
    controller.start(abort.signal);
    await clock.advance(0);
    informer.report({ current: object("new") });
    gate.resolve();
    await vi.waitFor(() => expect(seen).toHaveLength(4));
    expect(seen).toEqual(["gate", "new", "old-1", "old-2"]);
  });

  it("reconciles changes of an object before changes of a shared object", async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { controller, clock, abort } = aController(async ({ name }) => {
      seen.push(name);
      if (name === "gate") await gate.promise;
      return {};
    });
    const [own, shared] = [anInformer([]), anInformer([])];
    controller.enqueue({ namespace: "default", name: "gate" });
    controller.watches(own, itself);
    controller.watches(shared, () => ["many-1", "many-2"].map((name) => ({ namespace: "default", name })), "low");
    controller.start(abort.signal);
    await clock.advance(0);
    shared.report({ current: object("profile") });
    controller.enqueue({ namespace: "default", name: "position" }, { priority: "low" });
    own.report({ current: object("new") });
    gate.resolve();
    await vi.waitFor(() => expect(seen).toHaveLength(5));
    expect(seen).toEqual(["gate", "new", "many-1", "many-2", "position"]);
  });

  it("yields to the event loop after each key, so that thousands with nothing to do block nothing else", async () => {
    let done = 0;
    const { controller, abort } = aController(async () => {
      done += 1;
      return {};
    });
    controller.watches(anInformer(Array.from({ length: 1_000 }, (_, n) => object(`${n}`))), itself);
    const turns: number[] = [];
    const turn = (): void => {
      turns.push(done);
      if (done < 1_000) setImmediate(turn);
    };
    setImmediate(turn);
    controller.start(abort.signal);
    await vi.waitFor(() => expect(done).toBe(1_000), { timeout: 60_000 });
    const mostAtOnce = Math.max(...turns.slice(1).map((count, at) => count - (turns[at] ?? 0)));
    expect(mostAtOnce).toBeLessThanOrEqual(2);
  });

  it("never reconciles one key twice at the same time, with many workers", async () => {
    let [now, most, runs] = [0, 0, 0];
    const { controller, clock, abort } = aController(
      async () => {
        runs += 1;
        most = Math.max(most, ++now);
        await new Promise<void>((resolve) => clock.after(10, resolve));
        now -= 1;
        return {};
      },
      { workers: 4 },
    );
    controller.start(abort.signal);
    for (let i = 0; i < 5; i++) {
      controller.enqueue(a);
      await clock.advance(4);
    }
    await clock.advance(1_000);
    expect({ most, now }).toEqual({ most: 1, now: 0 });
    expect(runs).toBeGreaterThan(1);
  });

  it("lets a reconcile finish on stop, starts no other, and removes its listeners", async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { controller, clock, abort } = aController(async ({ name }, signal) => {
      await gate.promise;
      seen.push(`${name} ${signal.aborted ? "aborted" : "finished"}`);
      return {};
    });
    const informer = anInformer([]);
    controller.watches(informer, itself);
    controller.start(abort.signal);
    controller.enqueue(a);
    controller.enqueue({ namespace: "default", name: "b" });
    await clock.advance(0);
    abort.abort();
    expect(informer.listeners.size).toBe(0);
    gate.resolve();
    await controller.drain();
    expect(seen).toEqual(["a finished"]);
  });

  it("aborts a reconcile that does not end within the grace period, and counts no failure for it", async () => {
    const { controller, clock, abort, registry } = aController(
      (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("cut")))),
      { graceMs: 10_000 },
    );
    controller.start(abort.signal);
    controller.enqueue(a);
    await clock.advance(0);
    abort.abort();
    let drained = false;
    void controller.drain().then(() => (drained = true));
    await clock.advance(9_999);
    expect(drained).toBe(false);
    await clock.advance(1);
    expect(drained).toBe(true);
    expect(await registry.metrics()).not.toContain('result="error"');
  });

  it("names the controlling owner of an object", () => {
    const owned = object("pod");
    owned.metadata.ownerReferences = [
      { apiVersion: "v1", kind: "Task", name: "other", uid: "1" },
      { apiVersion: "v1", kind: "Task", name: "mine", uid: "2", controller: true },
      { apiVersion: "v1", kind: "Job", name: "job", uid: "3", controller: true },
    ];
    expect(controllerOf("Task")({ old: owned })).toEqual([{ namespace: "default", name: "mine" }]);
  });
});

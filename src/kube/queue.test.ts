import * as fc from "fast-check";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../shared/fake-clock.ts";
import { createKubeMetrics } from "./metrics.ts";
import { createQueue } from "./queue.ts";
import type { Request } from "./types.ts";

const key = (name: string): Request => ({ namespace: "default", name });
const [a, b, c] = [key("a"), key("b"), key("c")];

function aQueue() {
  const clock = new FakeClock();
  const registry = new Registry();
  const queue = createQueue({ clock, name: "test", metrics: createKubeMetrics(registry) });
  const taken: string[] = [];
  /** Takes one key as a worker would, without calling `done`. */
  const take = () => void queue.next().then((request) => taken.push(request?.name ?? "(end)"));
  return { clock, registry, queue, taken, take };
}

const valueOf = async (registry: Registry, name: string): Promise<number | undefined> =>
  (await registry.getSingleMetric(name)?.get())?.values[0]?.value;

describe("queue", () => {
  it("holds a key once, however often it is added", async () => {
    const { queue, clock, taken, take } = aQueue();
    queue.add(a);
    queue.add(a);
    queue.add(b);
    expect(queue.depth).toBe(2);
    for (let i = 0; i < 3; i++) take();
    await clock.advance(0);
    expect(taken).toEqual(["a", "b"]);
  });

  it("gives a key to one worker at a time, and once more if it was added meanwhile", async () => {
    const { queue, clock, taken, take } = aQueue();
    queue.add(a);
    take();
    take();
    queue.add(a);
    queue.add(a);
    await clock.advance(0);
    expect(taken).toEqual(["a"]);
    queue.done(a);
    await clock.advance(0);
    expect(taken).toEqual(["a", "a"]);
    queue.done(a);
    take();
    await clock.advance(0);
    expect(taken).toEqual(["a", "a"]);
  });

  it("gives out a low key after seven normal ones, so that a steady stream of changes does not delay it for ever", async () => {
    const queue = createQueue({ clock: new FakeClock() });
    queue.add(key("low"), "low");
    const order: string[] = [];
    for (let n = 0; n < 10; n++) {
      queue.add(key(`normal-${n}`));
      const next = await queue.next();
      order.push(next?.name ?? "");
      if (next) queue.done(next);
    }
    expect(order.indexOf("low")).toBe(7);
  });

  it("gives keys of the initial list last, and earlier if they change meanwhile", async () => {
    const { queue, clock, taken, take } = aQueue();
    queue.add(a, "low");
    queue.add(b, "low");
    queue.add(c);
    queue.add(b);
    queue.add(c, "low");
    for (let i = 0; i < 3; i++) take();
    await clock.advance(0);
    expect(taken).toEqual(["c", "b", "a"]);
  });

  it("lets namespaces take turns, and in a namespace its groups, each with the oldest key first", async () => {
    const groupOf = ({ name }: Request): string => name.slice(0, 1);
    const queue = createQueue({ clock: new FakeClock(), groupOf });
    const names = ["one/a1", "one/a2", "one/a3", "one/b1", "two/a1", "two/a2"];
    for (const [namespace = "", name = ""] of names.map((id) => id.split("/"))) queue.add({ namespace, name });
    const order: string[] = [];
    while (queue.depth > 0) {
      const next = await queue.next();
      if (next) queue.done(next);
      order.push(`${next?.namespace}/${next?.name}`);
    }
    expect(order).toEqual(["one/a1", "two/a1", "one/b1", "two/a2", "one/a2", "one/a3"]);
  });

  it("gives workers no more keys of one namespace than its bound, and does not count keys that only wait", async () => {
    const clock = new FakeClock();
    const queue = createQueue({ clock, perNamespace: 1 });
    const taken: string[] = [];
    const take = (): void => void queue.next().then((request) => taken.push(`${request?.namespace}/${request?.name}`));
    const [first, second] = [a, b];
    for (const request of [first, second, { namespace: "other", name: "c" }]) queue.add(request);
    for (let n = 0; n < 3; n++) take();
    await clock.advance(0);
    expect(taken).toEqual(["default/a", "other/c"]);
    queue.paused(first);
    await clock.advance(0);
    expect(taken).toEqual(["default/a", "other/c", "default/b"]);
    queue.add(first);
    take();
    queue.resumed(first);
    queue.done(second);
    await clock.advance(0);
    expect(taken).toHaveLength(3);
    queue.done(first);
    await clock.advance(0);
    expect(taken.at(-1)).toBe("default/a");
  });

  it("keeps the higher priority of two additions while a worker has the key", async () => {
    const { queue, clock, taken, take } = aQueue();
    queue.add(a);
    take();
    queue.add(a, "low");
    queue.add(a);
    queue.add(b, "low");
    queue.done(a);
    take();
    await clock.advance(0);
    expect(taken).toEqual(["a", "a"]);
  });

  it("adds after a delay, and of two delays the earliest wins", async () => {
    const { queue, clock } = aQueue();
    queue.addAfter(a, 1_000);
    queue.addAfter(a, 200);
    queue.addAfter(a, 5_000);
    await clock.advance(199);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("keeps a timer when the key is added in between", async () => {
    const { queue, clock, take } = aQueue();
    queue.addAfter(a, 1_000);
    queue.add(a);
    take();
    await clock.advance(500);
    queue.done(a);
    await clock.advance(500);
    expect(queue.depth).toBe(1);
  });

  it("backs off from 5 ms to 5 min, separately for each key, until it is reset", async () => {
    const { queue } = aQueue();
    expect(Array.from({ length: 5 }, () => queue.retry(a))).toEqual([5, 10, 20, 40, 80]);
    expect(queue.retry(b)).toBe(5);
    const delays = Array.from({ length: 20 }, () => queue.retry(a));
    expect(delays.at(-1)).toBe(300_000);
    queue.forget(a);
    expect(queue.retry(a)).toBe(5);
  });

  it("waits as long as the server asked for, if that is longer than the back-off", () => {
    expect(aQueue().queue.retry(a, 7_000)).toBe(7_000);
  });

  it("ends waiting workers and timers when it is shut down, and accepts no more keys", async () => {
    const { queue, clock, taken, take } = aQueue();
    take();
    queue.addAfter(a, 10);
    queue.shutDown();
    queue.add(b);
    await clock.advance(20);
    expect(taken).toEqual(["(end)"]);
    expect(queue.depth).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("rejects a done for a key that no worker has", () => {
    expect(() => aQueue().queue.done(a)).toThrow(/which no worker has/);
  });

  it("counts with the metric names of client-go", async () => {
    const { queue, clock, registry, take } = aQueue();
    queue.add(a);
    queue.add(b);
    queue.add(b);
    await clock.advance(2_000);
    take();
    await clock.advance(3_000);
    expect(await valueOf(registry, "workqueue_adds_total")).toBe(2);
    expect(await valueOf(registry, "workqueue_depth")).toBe(1);
    expect(await valueOf(registry, "workqueue_longest_running_processor_seconds")).toBe(3);
    queue.done(a);
    queue.retry(a);
    expect(await valueOf(registry, "workqueue_retries_total")).toBe(1);
    const text = await registry.metrics();
    expect(text).toContain('workqueue_queue_duration_seconds_sum{name="test"} 2');
    expect(text).toContain('workqueue_work_duration_seconds_sum{name="test"} 3');
  });

  it("never loses a key and never gives it to two workers at once, in any order of calls", async () => {
    const step = fc.record({
      op: fc.constantFrom("add", "low", "after", "retry", "take", "done", "advance"),
      name: fc.constantFrom("a", "b", "c", "d"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new FakeClock();
        const queue = createQueue({ clock });
        const inWork = new Set<string>();
        const owed = new Set<string>();
        const take = (): void =>
          void queue.next().then((request) => {
            const name = request?.name ?? "";
            expect(inWork.has(name)).toBe(false);
            inWork.add(name);
            return owed.delete(name);
          });
        const act: Record<string, (name: string) => void> = {
          add: (name) => (owed.add(name), queue.add(key(name))),
          low: (name) => (owed.add(name), queue.add(key(name), "low")),
          after: (name) => (owed.add(name), queue.addAfter(key(name), 50)),
          retry: (name) => (owed.add(name), void queue.retry(key(name))),
          take,
          done: (name) => inWork.delete(name) && queue.done(key(name)),
        };
        for (const { op, name } of steps) {
          act[op]?.(name);
          await clock.advance(op === "advance" ? 30 : 0);
        }
        for (let round = 0; round < 100 && (owed.size > 0 || inWork.size > 0); round++) {
          for (const name of Array.from(inWork)) act["done"]?.(name);
          take();
          await clock.advance(300_000);
        }
        expect([...owed]).toEqual([]);
      }),
      { numRuns: 200, seed: 8 },
    );
  });
});

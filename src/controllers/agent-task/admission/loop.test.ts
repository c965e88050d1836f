import { beforeEach, describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { aProfile, aTask, anIntegration, taskCacheOf, type TaskOverrides } from "../testing.ts";
import { createAdmission, type Admission } from "./loop.ts";

let clock: FakeClock;
let tasks: AgentTask[];
let told: string[];
let admission: Admission;
let ready: boolean;

beforeEach(() => {
  clock = new FakeClock();
  tasks = [];
  told = [];
  ready = true;
  admission = createAdmission({
    tasks: {
      active: () => taskCacheOf(tasks).active(),
      get: (key) => taskCacheOf(tasks).get(key),
      unauthorised: (like, thread) => taskCacheOf(tasks).unauthorised(like, thread),
    },
    integration: () => anIntegration({ concurrency: { tasks: 2 } }),
    profile: ({ metadata }) => (ready || metadata.name !== "a" ? aProfile() : undefined),
    clock,
    config: { concurrency: { perNamespace: 10, cluster: 10 }, guardrails: { images: [] }, reserveAfterMs: 600_000 },
  });
  admission.onVerdict(({ name }) => told.push(name));
});

function waiting(name: string): AgentTask {
  return aTask({ name, conditions: ["Authorized"], spec: { conversation: name } });
}

function atWork(name: string): AgentTask {
  return aTask({ name, conditions: ["Authorized", "Admitted"], spec: { conversation: name } });
}

async function pass(): Promise<void> {
  admission.changed();
  await clock.advance(20);
}

describe("the admission loop", () => {
  it("counts what it admitted until the cache shows it", async () => {
    tasks = [waiting("a"), waiting("b")];
    await pass();
    // Fairness would prefer bob to ana's second task, were that not counted already.
    const bob = { id: "502", login: "bob" };
    tasks.push(aTask({ name: "c", actor: bob, conditions: ["Authorized"], spec: { conversation: "c" } }));
    await pass();
    expect(tasks.map((task) => admission.verdict(task).state)).toEqual(["Admitted", "Admitted", "Waiting"]);
  });

  it("gives the place to the next when one is over", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    tasks = [atWork("a"), atWork("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c")).state).toBe("Waiting");
    tasks = [atWork("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c"))).toEqual({ state: "Admitted" });
    expect(told).toEqual(["a", "b", "c", "c"]);
  });

  it("gives the place on when a task it admitted is cancelled before it began", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    const cancelled = aTask({ name: "a", conditions: ["Authorized", { type: "Succeeded", status: "False" }] });
    tasks = [cancelled, waiting("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c"))).toEqual({ state: "Admitted" });
  });

  it("counts at once what a live list showed when leadership began, though the cache is behind", async () => {
    admission.seed([atWork("a"), atWork("b")]);
    tasks = [waiting("c"), waiting("a")];
    await pass();
    expect(admission.verdict(waiting("c")).state).toBe("Waiting");
    expect(admission.verdict(waiting("a")).state).toBe("Admitted");
    tasks = [waiting("c")];
    await clock.advance(60_000);
    await pass();
    expect(admission.verdict(waiting("c")).state).toBe("Admitted");
  });

  it("tells a place in the queue at most every 30 s", async () => {
    tasks = [atWork("a"), atWork("b"), ...["c", "d", "e"].map(waiting)];
    await pass();
    expect(admission.verdict(waiting("e"))).toMatchObject({ position: 2 });
    told = [];
    tasks = tasks.filter((task) => task.metadata.name !== "d");
    await pass();
    expect(admission.verdict(waiting("e"))).toMatchObject({ position: 2 });
    await clock.advance(30_000);
    expect(admission.verdict(waiting("e"))).toMatchObject({ position: 1 });
    expect(told).toEqual(["e"]);
  });

  it("looks at a task that it is asked for and does not know", async () => {
    tasks = [waiting("a")];
    expect(admission.verdict(waiting("a")).state).toBe("Unknown");
    await clock.advance(20);
    expect(told).toEqual(["a"]);
  });

  it("keeps no place for a task whose profile is gone, not even one it had given", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    ready = false;
    await pass();
    expect(admission.verdict(waiting("c")).state).toBe("Admitted");
    expect(admission.verdict(waiting("a")).state).toBe("Unknown");
  });

  it("runs comments of one second in the order of their receipt, whatever their names and the order they are stored in", async () => {
    const said = (name: string, ms: number): AgentTask =>
      aTask({ name, conditions: ["Authorized"], source: { receivedAt: `2026-03-01T12:00:00.${ms}Z` } });
    tasks = [said("a", 300), said("c", 100), said("b", 200)];
    const order: string[] = [];
    while (tasks.length > 0) {
      await pass();
      const running = tasks.filter((task) => admission.verdict(task).state === "Admitted");
      order.push(...running.map(({ metadata }) => metadata.name));
      tasks = tasks.filter((task) => !running.includes(task));
    }
    expect(order).toEqual(["c", "b", "a"]);
  });

  it("lets a comment wait for one before it that is not authorised yet, and for no more than a while", async () => {
    const before = (conditions: TaskOverrides["conditions"] = []): AgentTask =>
      aTask({ name: "b", source: { receivedAt: "2026-03-01T12:00:00.100Z" }, conditions });
    const after = aTask({ name: "a", source: { receivedAt: "2026-03-01T12:00:00.200Z" }, conditions: ["Authorized"] });
    tasks = [after, before()];
    await pass();
    expect(admission.verdict(after)).toMatchObject({ state: "Waiting", reason: "ConversationBusy", position: 1 });
    tasks = [after, before(["Authorized"])];
    await pass();
    expect(tasks.map((task) => admission.verdict(task).state)).toEqual(["Waiting", "Admitted"]);

    tasks = [after, before([{ type: "Authorized", status: "False" }])];
    await pass();
    expect(admission.verdict(after).state).toBe("Admitted");
  });

  it("does not let a comment wait for ever for one that nobody can authorise", async () => {
    const stuck = aTask({ name: "b", conditions: [{ type: "Authorized", status: "Unknown" }] });
    const after = aTask({ name: "a", conditions: ["Authorized"], source: { receivedAt: "2026-03-01T12:00:00.200Z" } });
    tasks = [after, stuck];
    await pass();
    await clock.advance(29_000);
    expect(admission.verdict(after).state).toBe("Waiting");
    await clock.advance(31_000);
    expect(admission.verdict(after).state).toBe("Admitted");
  });

  it("does not count commands, nor admit them", async () => {
    tasks = [aTask({ name: "a", conditions: ["Authorized"], spec: { command: "status" } }), waiting("b")];
    await pass();
    expect(told).toEqual(["b"]);
  });
});

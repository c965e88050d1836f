import { beforeEach, describe, expect, it } from "vitest";
import type { AgentTask } from "../../../api/kinds.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { aProfile, aTask, anIntegration, taskCacheOf, type TaskOverrides, aThreadTask } from "../testing.ts";
import { createAdmission, type Admission } from "./loop.ts";

let clock: FakeClock;
let tasks: AgentTask[];
let announced: string[];
let admission: Admission;
let ready: boolean;

beforeEach(() => {
  clock = new FakeClock();
  tasks = [];
  announced = [];
  ready = true;
  admission = createAdmission({
    tasks: {
      active: () => taskCacheOf(tasks).active(),
      get: (key) => taskCacheOf(tasks).get(key),
      inRepository: (like, index, value) => taskCacheOf(tasks).inRepository(like, index, value),
      inConversation: (like, conversation) => taskCacheOf(tasks).inConversation(like, conversation),
      inChannel: (like) => taskCacheOf(tasks).inChannel(like),
    },
    integration: () => anIntegration({ concurrency: { tasks: 2 } }),
    codeHostIntegration: () => anIntegration(),
    profile: ({ metadata }) => (ready || metadata.name !== "a" ? aProfile() : undefined),
    clock,
    config: { concurrency: { perNamespace: 10, cluster: 10 }, guardrails: { images: [] }, reserveAfterMs: 600_000 },
  });
  admission.onVerdict(({ name }) => announced.push(name));
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
  it("counts an admitted task until the cache shows it", async () => {
    tasks = [waiting("a"), waiting("b")];
    await pass();
    // If ana's second task were not counted already, fairness would prefer bob.
    const bob = { id: "502", login: "bob" };
    tasks.push(aTask({ name: "c", actor: bob, conditions: ["Authorized"], spec: { conversation: "c" } }));
    await pass();
    expect(tasks.map((task) => admission.verdict(task).state)).toEqual(["Admitted", "Admitted", "Waiting"]);
  });

  it("admits the next task when one is over", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    tasks = [atWork("a"), atWork("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c")).state).toBe("Waiting");
    tasks = [atWork("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c"))).toEqual({ state: "Admitted" });
    expect(announced).toEqual(["a", "b", "c", "c"]);
  });

  it("admits the next task when an admitted one is cancelled before it starts", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    const cancelled = aTask({ name: "a", conditions: ["Authorized", { type: "Succeeded", status: "False" }] });
    tasks = [cancelled, waiting("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c"))).toEqual({ state: "Admitted" });
  });

  it("admits the next task when an admitted one waits for an approval because its repository became public", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    const waits = { type: "Approved", status: "Unknown", reason: "WaitingForApproval" } as const;
    tasks = [aThreadTask({ name: "a", conditions: ["Authorized", waits] }), waiting("b"), waiting("c")];
    await pass();
    expect(admission.verdict(waiting("c"))).toEqual({ state: "Admitted" });
  });

  it("counts the tasks of the live list at the start of leadership, even if the cache is behind", async () => {
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

  it("announces a place in the queue at most every 30 s", async () => {
    tasks = [atWork("a"), atWork("b"), ...["c", "d", "e"].map(waiting)];
    await pass();
    expect(admission.verdict(waiting("e"))).toMatchObject({ position: 2 });
    announced = [];
    tasks = tasks.filter((task) => task.metadata.name !== "d");
    await pass();
    expect(admission.verdict(waiting("e"))).toMatchObject({ position: 2 });
    await clock.advance(30_000);
    expect(admission.verdict(waiting("e"))).toMatchObject({ position: 1 });
    expect(announced).toEqual(["e"]);
  });

  it("checks an unknown task when its verdict is requested", async () => {
    tasks = [waiting("a")];
    expect(admission.verdict(waiting("a")).state).toBe("Unknown");
    await clock.advance(20);
    expect(announced).toEqual(["a"]);
  });

  it("frees the place of an admitted task when its profile is deleted", async () => {
    tasks = [waiting("a"), waiting("b"), waiting("c")];
    await pass();
    ready = false;
    await pass();
    expect(admission.verdict(waiting("c")).state).toBe("Admitted");
    expect(admission.verdict(waiting("a")).state).toBe("Unknown");
  });

  it("runs comments of the same second in the order of receipt, whatever their names and the order in the store", async () => {
    const received = (name: string, ms: number): AgentTask =>
      aTask({ name, conditions: ["Authorized"], source: { receivedAt: `2026-03-01T12:00:00.${ms}Z` } });
    tasks = [received("a", 300), received("c", 100), received("b", 200)];
    const order: string[] = [];
    while (tasks.length > 0) {
      await pass();
      const running = tasks.filter((task) => admission.verdict(task).state === "Admitted");
      order.push(...running.map(({ metadata }) => metadata.name));
      tasks = tasks.filter((task) => !running.includes(task));
    }
    expect(order).toEqual(["c", "b", "a"]);
  });

  it("makes a comment wait for an earlier one that is not authorised yet, but only for a limited time", async () => {
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

  it("does not make a comment wait for ever for one that cannot be authorised", async () => {
    const stuck = aTask({ name: "b", conditions: [{ type: "Authorized", status: "Unknown" }] });
    const after = aTask({ name: "a", conditions: ["Authorized"], source: { receivedAt: "2026-03-01T12:00:00.200Z" } });
    tasks = [after, stuck];
    await pass();
    await clock.advance(29_000);
    expect(admission.verdict(after).state).toBe("Waiting");
    await clock.advance(31_000);
    expect(admission.verdict(after).state).toBe("Admitted");
  });

  it("neither counts nor admits commands", async () => {
    tasks = [aTask({ name: "a", conditions: ["Authorized"], spec: { command: "status" } }), waiting("b")];
    await pass();
    expect(announced).toEqual(["b"]);
  });

  it("keeps the order of receipt between an issue and the pull request that came of it", async () => {
    const opener = aTask({
      name: "opener",
      conditions: ["Authorized", "Admitted", "Succeeded"],
      status: { conversation: "acme/shop#42", result: { changeNumber: 43 } },
    });
    const subject = { type: "Change", key: "acme/shop#43", number: 43 } as const;
    const onChange = aTask({
      name: "on-change",
      source: { subject, receivedAt: "2026-03-01T12:00:00.100Z" },
      spec: { conversation: "acme/shop#43" },
    });
    const onIssue = aTask({
      name: "on-issue",
      conditions: ["Authorized"],
      source: { receivedAt: "2026-03-01T12:00:00.200Z" },
      status: { conversation: "acme/shop#42" },
    });
    tasks = [opener, onChange, onIssue];
    await pass();
    expect(admission.verdict(onIssue)).toMatchObject({ state: "Waiting", reason: "ConversationBusy", position: 1 });
  });

  it("checks each task of a long conversation a few times, however many wait in it or are not authorised yet", async () => {
    let checks = 0;
    const many = (prefix: string, conditions: TaskOverrides["conditions"] = []): AgentTask[] =>
      Array.from({ length: 500 }, (_, n) => aTask({ name: `${prefix}-${n}`, conditions }));
    const cache = taskCacheOf([...many("waiting", ["Authorized"]), ...many("unauthorised")]);
    const loop = createAdmission({
      tasks: cache,
      integration: () => anIntegration(),
      codeHostIntegration: () => anIntegration(),
      profile: () => {
        checks += 1;
        return aProfile();
      },
      clock,
      config: { concurrency: { perNamespace: 10, cluster: 10 }, guardrails: { images: [] }, reserveAfterMs: 600_000 },
    });
    loop.changed();
    await clock.advance(20);
    expect(checks).toBeGreaterThan(1_000);
    expect(checks).toBeLessThan(3_000);
  });
});

import { describe, expect, it } from "vitest";
import type { AgentTask } from "../../api/kinds.ts";
import { createFakeClient } from "../../kube/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { createStore } from "../../kube/store.ts";
import { unexpected } from "../../shared/testing.ts";
import { createAdmission } from "./admission/loop.ts";
import { agentTaskController, lifeOf } from "./index.ts";
import { commandStep } from "./commands/index.ts";
import { publishStep } from "./publish/index.ts";
import { reportStep } from "./report/index.ts";
import { taskCache, taskIndexes, type TaskCache } from "./task-index.ts";
import {
  aProfile,
  aTask,
  anIntegration,
  integrationOf,
  noon,
  shaOf,
  taskCacheOf,
  taskDeps,
  type TaskOverrides,
} from "./testing.ts";

/** A task that succeeded an hour ago and whose report is final; it needs nothing for days. */
function finished(n: number): AgentTask {
  const result = { branch: `bellhop/${n}`, commit: shaOf("c"), changeNumber: n };
  return aTask({
    name: `finished-${n}`,
    conditions: ["Authorized", "Admitted", "ContextReady", "Succeeded", "Reported"],
    spec: { conversation: `acme/shop#${n}` },
    status: { conversation: `acme/shop#${n}`, completionTime: "2026-03-01T11:00:00Z", result },
  });
}

const attempt = { number: 1, podName: "pod", podUID: "uid" };

/** The operator's task controller with a cache that counts the tasks it returns. */
function anOperator(tasks: AgentTask[]) {
  const cache = counted(tasks);
  const clock = new FakeClock(noon);
  const kube = createFakeClient();
  const findIntegration = integrationOf(unexpected("connect"));
  const deps = taskDeps({ kube, tasks: cache.tasks, findIntegration, clock });
  const admission = createAdmission({
    tasks: cache.tasks,
    integration: () => anIntegration(),
    codeHostIntegration: () => anIntegration(),
    profile: () => aProfile(),
    clock,
    config: deps.config,
  });
  const steps = lifeOf({ commands: commandStep, publish: publishStep, report: reportStep });
  return { controller: agentTaskController({ ...deps, admission }, steps), cache, calls: kube.calls, clock };
}

/** A cache over an informer's store that counts the tasks it returns. */
function counted(tasks: AgentTask[]): { tasks: TaskCache; seen: () => number } {
  const store = createStore(taskIndexes);
  for (const task of tasks) store.put(task);
  let seen = 0;
  const counting = taskCache({
    get: (key) => ((seen += 1), store.get(key)),
    byIndex(index, value) {
      const found = store.byIndex(index, value);
      seen += found.length;
      return found;
    },
  });
  return { tasks: counting, seen: () => seen };
}

describe("a reconcile among thousands of tasks", () => {
  const many = Array.from({ length: 2_000 }, (_, n) => finished(n));
  const signal = new AbortController().signal;

  it("reads only a finished task itself, and makes no call", async () => {
    const { controller, cache, calls } = anOperator(many);
    const { requeueAfterMs = 0 } = await controller.reconcile({ namespace: "team", name: "finished-7" }, signal);
    expect(requeueAfterMs).toBeGreaterThan(24 * 60 * 60_000);
    expect(cache.seen()).toBe(1);
    expect(calls).toEqual([]);
  });

  it("reads only active tasks for admission", async () => {
    const waiting = aTask({ name: "waiting", conditions: ["Authorized"], spec: { conversation: "acme/shop#9" } });
    const { controller, cache, clock } = anOperator([...many, waiting]);
    const admitted: string[] = [];
    controller.onAdmission(({ name }) => admitted.push(name));
    controller.onTask({ current: waiting });
    await clock.advance(20);
    expect(admitted).toEqual(["waiting"]);
    expect(cache.seen()).toBeLessThan(5);
  });

  it("reconciles only tasks that are not over, or whose report could not be posted, after a change of an integration, profile or policy, and reads no other", () => {
    const open = aTask({ name: "open", conditions: ["Authorized", "Admitted"], status: { attempts: [attempt] } });
    const notPosted = { type: "Reported", status: "False", reason: "GaveUp" } as const;
    const unreported = aTask({ name: "unreported", conditions: ["Authorized", "Succeeded", notPosted] });
    const { controller, cache } = anOperator([...many, open, unreported]);
    const wanted = ["open", "unreported"].map((name) => ({ namespace: "team", name }));
    expect(controller.onIntegration({ current: anIntegration() })).toEqual(wanted);
    expect(controller.onProfile({ current: aProfile() })).toEqual(wanted);
    expect(controller.onNetworkPolicy({ current: { metadata: { name: "theirs", namespace: "team" } } })).toEqual(
      wanted.slice(0, 1),
    );
    expect(controller.onNetworkPolicy({ current: { metadata: { name: "theirs", namespace: "till" } } })).toEqual([]);
    expect(cache.seen()).toBeLessThan(10);
  });
});

describe("the cache of tasks", () => {
  const cases: { what: string; over: TaskOverrides; find: (cache: TaskCache, like: AgentTask) => AgentTask[] }[] = [
    {
      what: "by its own change",
      over: { status: { result: { changeNumber: 57 } } },
      find: (cache, like) => cache.inRepository(like, "change", 57),
    },
    {
      what: "by the commit it left",
      over: { status: { result: { commit: shaOf("c") } } },
      find: (cache, like) => cache.inRepository(like, "commit", shaOf("c")),
    },
    {
      what: "by its branch",
      over: { status: { result: { branch: "b" } } },
      find: (cache, like) => cache.inRepository(like, "branch", "b"),
    },
    {
      what: "by the branch it works on",
      over: { status: { checkout: { baseRef: "main", headRef: "h" } } },
      find: (cache, like) => cache.inRepository(like, "head", "h"),
    },
    {
      what: "by the branch it is based on",
      over: { status: { checkout: { baseRef: "main" } } },
      find: (cache, like) => cache.inRepository(like, "base", "main"),
    },
    {
      what: "while its conversation is not resolved",
      over: {},
      find: (cache, like) => cache.inRepository(like, "unsettled"),
    },
    {
      what: "by its effective conversation",
      over: { status: { conversation: "acme/shop#1" } },
      find: (cache, like) => cache.inConversation(like, { instance: "github.com", name: "9001#1" }),
    },
  ];

  it.each(cases)("finds a task $what, in its own namespace and at its own host", ({ over, find }) => {
    const here = aTask({ name: "here", ...over });
    const elsewhere = [
      aTask({ name: "team", namespace: "till", ...over }),
      aTask({
        name: "host",
        spec: { repository: { id: "9001", host: "git.corp", owner: "acme", name: "shop" } },
        ...over,
      }),
    ];
    const cache = taskCacheOf([here, ...elsewhere]);
    expect(find(cache, aTask({ name: "asks" })).map(({ metadata }) => metadata.name)).toEqual(["here"]);
  });

  it("finds a task by a conversation at another instance, and no other conversation of the same name", () => {
    const status = { conversation: "C1/100.1", conversationInstance: "T1" };
    const cache = taskCacheOf([
      aTask({ name: "here", status }),
      aTask({ name: "other", status: { ...status, conversationInstance: "T2" } }),
      aTask({ name: "before", status: { conversation: "C1/100.1" } }),
    ]);
    const found = (instance: string): string[] =>
      cache.inConversation(aTask(), { instance, name: "C1/100.1" }).map(({ metadata }) => metadata.name);
    expect(found("T1")).toEqual(["here"]);
    expect(found("T2")).toEqual(["other"]);
    // A task of an earlier version names no instance: its conversation is where it was requested.
    expect(found("github.com")).toEqual(["before"]);
  });

  it("holds no prompts and no comments", () => {
    const [task] = taskCacheOf([aTask()]).open("team");
    expect(task?.spec).not.toHaveProperty("prompt");
    expect(task?.spec.source).not.toHaveProperty("text");
  });
});

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { installCrds } from "../../../test/cluster/crds.ts";
import { aNamespace, eventually } from "../../../test/cluster/namespace.ts";
import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { Connection } from "../../integrations/connection.ts";
import { fakeHost } from "../../integrations/testing.ts";
import { connect } from "../../kube/config.ts";
import { createController } from "../../kube/controller.ts";
import { createInformer } from "../../kube/informer.ts";
import { secrets } from "../../kube/resources.ts";
import type { KubeConnection } from "../../kube/types.ts";
import type { SandboxProvider, SandboxState } from "../../sandbox/provider.ts";
import { systemClock } from "../../shared/clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { createAdmission } from "./admission/loop.ts";
import { createTaskCredentials } from "./broker-secrets.ts";
import { defaultConfig } from "./config.ts";
import { agentTaskController, lifeOf } from "./index.ts";
import { isDecided, isOver } from "./state.ts";
import { asStep } from "./steps.ts";
import { taskCache, taskIndexes } from "./task-index.ts";
import { aProfile, aTask, anIntegration, integrationOf, taskDeps } from "./testing.ts";

let client: KubeConnection;

beforeAll(async () => {
  ({ client } = await connect({ kubeconfig: inject("kubeconfigPath") }));
  await installCrds(client);
});
afterAll(() => client.close());

interface Pod {
  task: string;
  podUID: string;
  attempt: number;
  ended?: SandboxState;
  held: boolean;
}

/** The state outside the operator. It survives when an operator is killed. */
interface World {
  namespace: string;
  pods: Map<string, Pod>;
  created: number;
  /** Names of the tasks whose pods were created, in order. */
  began: string[];
  /** Runs before a task's comment is read again at the provider. */
  beforeReread: (cause: string) => Promise<unknown>;
  host: ReturnType<typeof fakeHost>;
  concurrency: { tasks: number; perRepository: number; perActor: number };
  permission: "Write" | "Read";
}

async function aWorld(over: Partial<World> = {}): Promise<World> {
  const concurrency = { tasks: 100, perRepository: 100, perActor: 100 };
  const namespace = await aNamespace(client, "tasks");
  return {
    namespace,
    pods: new Map(),
    created: 0,
    began: [],
    beforeReread: async () => undefined,
    host: fakeHost({ now: () => systemClock.now() }),
    concurrency,
    permission: "Write",
    ...over,
  };
}

function podsOf(world: World): SandboxProvider {
  const key = (task: AgentTask, attempt: number): string => `${task.metadata.uid}/${attempt}`;
  return {
    backend: "process",
    notIsolated: [],
    closed: async () => true,
    podName: (task, attempt) => `${task.metadata.name}-sandbox-${attempt}`,
    async ensure({ task, attempt, prompt, spec }) {
      expect(prompt).toContain("fix it");
      expect(spec.publish.ref).toMatch(/^refs\/heads\/bellhop\//);
      const there = world.pods.get(key(task, attempt));
      if (there) return { podUID: there.podUID };
      const pod = { task: task.metadata.name, podUID: randomUUID(), attempt, held: true };
      world.created += 1;
      world.began.push(pod.task);
      world.pods.set(key(task, attempt), pod);
      return { podUID: pod.podUID };
    },
    observe(task, attempt) {
      const pod = world.pods.get(key(task, attempt));
      if (!pod) return { state: "Missing" };
      return pod.ended ?? { state: "Running", podUID: pod.podUID, since: new Date().toISOString() };
    },
    async harvested(task, attempt) {
      const pod = world.pods.get(key(task, attempt));
      if (pod) pod.held = false;
    },
    async remove(task, attempt) {
      world.pods.delete(key(task, attempt));
    },
  };
}

function connectionOf(world: World): Connection {
  return {
    identity: { check: () => Promise.reject(new Error("not asked here")) },
    codeHost: world.host.host,
    authorizer: {
      may: async ({ actor: { login } }) => ({
        allowed: world.permission === "Write",
        isBot: false,
        login,
        has: `${world.permission.toLowerCase()} access on acme/shop`,
        needs: "write access or higher",
      }),
    },
    source: {
      reread: async ({ source: { subject, cause } }) => {
        await world.beforeReread(cause);
        return {
          found: true,
          actor: { id: "501", login: "ana", isBot: false },
          text: "@bellhop fix it",
          subjectKey: subject.key,
          editedAfter: false,
          private: true,
        };
      },
      gather: async () => [],
    },
  };
}

/** Kills an operator at its n-th write to the outside: just before the write, or just after it and before the operator can record it. */
interface Bomb {
  effectsLeft: number;
  after: boolean;
  killed: AbortController;
}

const noBomb = (): Bomb => ({ effectsLeft: Number.POSITIVE_INFINITY, after: false, killed: new AbortController() });

function mined<T extends object>(target: T, bomb: Bomb, effects: readonly string[]): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== "function" || !effects.includes(String(name))) {
        return typeof value === "function" ? value.bind(object) : value;
      }
      return async (...given: unknown[]): Promise<unknown> => {
        bomb.killed.signal.throwIfAborted();
        const last = bomb.effectsLeft-- === 0;
        if (last && !bomb.after) bomb.killed.abort(new Error("killed before an effect"));
        bomb.killed.signal.throwIfAborted();
        const answer: unknown = await value.apply(object, given);
        if (last) bomb.killed.abort(new Error("killed after an effect"));
        bomb.killed.signal.throwIfAborted();
        return answer;
      };
    },
  });
}

const asleep = asStep<undefined, never>({
  name: "elsewhere",
  concerns: () => false,
  gather: async () => undefined,
  decide: () => ({}),
  apply: async () => undefined,
});

/** The report step of a thread whose turn is at once: the final report is posted in the reconcile that ends the task. */
const reportsAtOnce = asStep<undefined, never>({
  name: "reportsAtOnce",
  always: true,
  concerns: ({ task }) => isOver(task) && !isDecided(task, "Reported"),
  gather: async () => undefined,
  decide: () => ({
    conditions: [{ type: "Reported", status: "True", reason: "Posted", message: "The report is there." }],
  }),
  apply: async () => undefined,
});

interface Operator {
  bomb: Bomb;
  look(): void;
  stop(): Promise<void>;
}

async function startOperator(world: World, bomb = noBomb()): Promise<Operator> {
  const { signal } = bomb.killed;
  const { namespace } = world;
  const writes = ["create", "replace", "replaceStatus", "mergePatch", "jsonPatch", "delete"];
  const kube = mined(client, bomb, writes);
  const common = { clock: systemClock, log: silentLogger };
  const informer = createInformer({ client, ...common }, AgentTaskKind, { namespace, indexes: taskIndexes });
  informer.start(signal);
  await informer.waitForSync(signal);
  const integration = { ...anIntegration({ concurrency: world.concurrency }), metadata: { name: "shop", namespace } };
  const connection = connectionOf(world);
  const codeHost = mined(world.host.host, bomb, ["mintToken", "revokeToken"]);
  const config = {
    ...defaultConfig,
    brokerURL: "https://broker.test",
    brokerNamespace: namespace,
    concurrency: { perNamespace: 10_000, cluster: 10_000 },
  };
  const credentials = createTaskCredentials({ kube, brokerNamespace: namespace, ...common });
  await credentials.load(signal);
  const cache = taskCache(informer.store);
  const deps = taskDeps({
    kube,
    tasks: cache,
    profiles: { get: () => aProfile() },
    findIntegration: integrationOf(async () => ({ ...connection, codeHost }), integration),
    sandbox: mined(podsOf(world), bomb, ["ensure", "harvested", "remove"]),
    admission: createAdmission({
      tasks: cache,
      integration: () => integration,
      codeHostIntegration: () => integration,
      profile: () => aProfile({ concurrency: { tasks: 1000 } }),
      clock: systemClock,
      config,
    }),
    credentials,
    config,
    ...common,
  });
  const tasks = agentTaskController(deps, lifeOf({ commands: asleep, publish: asleep, report: reportsAtOnce }));
  const controller = createController({
    name: "tasks",
    reconciler: tasks.reconcile,
    workers: 4,
    graceMs: 0,
    ...common,
  });
  controller.watches(informer, (change) => tasks.onTask(change));
  tasks.onAdmission((request, priority) => controller.enqueue(request, { priority }));
  await tasks.lead(signal);
  controller.start(signal);
  return {
    bomb,
    look: () => informer.store.list().forEach(({ metadata }) => controller.enqueue(metadata)),
    async stop() {
      bomb.killed.abort(new Error("stopped"));
      await controller.drain();
    },
  };
}

async function createTask(world: World, name: string, over: Parameters<typeof aTask>[0] = {}): Promise<void> {
  const { spec, metadata } = aTask({ name, ...over });
  const { finalizers = [] } = metadata;
  await client.create(AgentTaskKind, { spec, metadata: { name, namespace: world.namespace, finalizers } });
}

const read = (world: World, name: string): Promise<AgentTask> =>
  client.get(AgentTaskKind, { namespace: world.namespace, name });

/** Simulates the kubelet: ends each sandbox whose task shows that it is running. */
async function finishPods(world: World, operator: Operator): Promise<void> {
  for (const pod of world.pods.values()) {
    const { status } = await read(world, pod.task);
    const runs = status?.conditions?.some(({ type, status: is }) => type === "SandboxReady" && is === "True");
    if (!runs || pod.ended) continue;
    const outcome = { version: 1, attempt: pod.attempt, reason: "NoChanges", message: "nothing to do" } as const;
    pod.ended = { state: "Finished", podUID: pod.podUID, outcome };
  }
  operator.look();
}

/** Reconciles until every task has ended and is cleaned up. */
async function play(world: World, operator: Operator, names: string[]): Promise<void> {
  await eventually(
    async () => {
      if (operator.bomb.killed.signal.aborted) return true;
      await finishPods(world, operator);
      const tasks = await Promise.all(names.map((name) => read(world, name)));
      const over = tasks.every(({ status }) => status?.completionTime !== undefined);
      const cleared = [...world.pods.values()].every(({ held }) => !held);
      return over && cleared && (await tokensOf(world)) === 0;
    },
    { describe: `${names.join(", ")} to be over and cleared`, timeoutMs: 30_000, everyMs: 20 },
  );
}

async function tokensOf({ namespace }: World): Promise<number> {
  return (await client.list(secrets, { namespace, labelSelector: "bellhop.dev/owner-uid" })).items.length;
}

describe("the agent-task controller on a real API server", () => {
  it("takes a task from a comment to its end, and records each step", async () => {
    const world = await aWorld();
    await createTask(world, "one");
    const operator = await startOperator(world);
    await play(world, operator, ["one"]);
    await operator.stop();
    const { status } = await read(world, "one");
    expect(status).toMatchObject({ phase: "Succeeded", conversation: "9001#42" });
    expect(world.host.state).toMatchObject({ minted: 1, tokens: new Map() });
    expect(status?.checkout).toMatchObject({ baseRef: "main", headRef: "bellhop/42-fix-login", newBranch: true });
    expect(status?.conditions?.map(({ type, reason }) => `${type}: ${reason}`)).toEqual([
      "Authorized: PermissionChecked",
      "Admitted: Admitted",
      "ContextReady: Gathered",
      "SandboxReady: NoChanges",
      "Succeeded: NoChanges",
      "Reported: Posted",
    ]);
  });

  it("continues with one attempt and one pod after a kill before or after each of its effects", async () => {
    let finished = 0;
    for (let effects = 0; finished < 2; effects++) {
      finished = 0;
      for (const after of [false, true]) {
        const world = await aWorld();
        await createTask(world, "one");
        const bomb = { effectsLeft: effects, after, killed: new AbortController() };
        const first = await startOperator(world, bomb);
        await play(world, first, ["one"]);
        if (!bomb.killed.signal.aborted) finished += 1;
        await first.stop();
        const second = await startOperator(world);
        await play(world, second, ["one"]);
        await second.stop();
        const { status } = await read(world, "one");
        expect(status?.phase, `killed ${after ? "after" : "before"} effect ${effects}`).toBe("Succeeded");
        expect(status?.attempts).toHaveLength(1);
        expect(world.created).toBe(1);
      }
      expect(effects).toBeLessThan(100);
    }
  }, 120_000);

  it("keeps every limit while many tasks wait, and admits all of them in the end", async () => {
    const world = await aWorld({ concurrency: { tasks: 3, perRepository: 100, perActor: 2 } });
    const names = Array.from({ length: 14 }, (_, n) => `task-${n}`);
    for (const [n, name] of names.entries()) {
      const actor = n < 9 ? { id: "501", login: "ana" } : { id: "502", login: "bob" };
      const spec = { conversation: n < 4 ? "acme/shop#1" : `acme/shop#${n}` };
      await createTask(world, name, { actor, spec, source: { object: { type: "Issue", id: "1" } } });
    }
    const operator = await startOperator(world);
    let most = 0;
    const watching = setInterval(() => {
      const live = [...world.pods.values()].filter(({ ended }) => ended === undefined);
      most = Math.max(most, live.length);
    }, 1);
    await play(world, operator, names);
    clearInterval(watching);
    await operator.stop();
    expect(world.created).toBe(14);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  }, 60_000);

  it("runs three comments of the same second in the order of receipt, even if they are stored and authorised in another order", async () => {
    const world = await aWorld();
    const authorised = async (name: string): Promise<boolean> =>
      (await read(world, name)).status?.conditions?.some(({ type }) => type === "Authorized") ?? false;
    const last = "a-last";
    world.beforeReread = async (cause) =>
      cause === last || (await eventually(() => authorised(last), { describe: "the last to be authorised" }));
    const comments = { [last]: 300, "m-middle": 200, "z-first": 100 };
    for (const [name, ms] of Object.entries(comments)) {
      await createTask(world, name, { source: { cause: name, receivedAt: `2026-03-01T12:00:00.${ms}Z` } });
    }
    const operator = await startOperator(world);
    await play(world, operator, Object.keys(comments));
    await operator.stop();
    expect(world.began).toEqual(["z-first", "m-middle", last]);
  });

  it("stops a running task, and removes its pod and its token", async () => {
    const world = await aWorld();
    await createTask(world, "one");
    const operator = await startOperator(world);
    await eventually(() => world.pods.size === 1, { describe: "the pod" });
    await client.mergePatch(
      AgentTaskKind,
      { namespace: world.namespace, name: "one" },
      { spec: { cancel: { by: "kim" } } },
    );
    await eventually(() => world.pods.size === 0 && world.host.state.tokens.size === 0, { describe: "the pod to go" });
    await operator.stop();
    expect((await read(world, "one")).status).toMatchObject({ phase: "Cancelled" });
  });

  it("refuses a person without the permission, and creates nothing for them", async () => {
    const world = await aWorld({ permission: "Read" });
    await createTask(world, "one");
    const operator = await startOperator(world);
    await play(world, operator, ["one"]);
    await operator.stop();
    expect((await read(world, "one")).status?.phase).toBe("Refused");
    expect(world.created + world.host.state.minted).toBe(0);
  });

  it("removes the finalizer of a deleted task once its pod and token are removed", async () => {
    const world = await aWorld();
    await createTask(world, "one");
    const operator = await startOperator(world);
    await eventually(() => world.pods.size === 1, { describe: "the pod" });
    const key = { namespace: world.namespace, name: "one" };
    await client.delete(AgentTaskKind, key);
    await eventually(async () => (await client.find(AgentTaskKind, key)) === undefined, { describe: "the task to go" });
    await operator.stop();
    expect(world.pods.size + world.host.state.tokens.size + (await tokensOf(world))).toBe(0);
  });
});

import { agentProfileSpec } from "../../api/agent-profile.ts";
import type { AgentTaskSpec, TaskSource } from "../../api/agent-task.ts";
import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import { gitHubIntegrationSpec } from "../../api/github-integration.ts";
import { AgentTaskKind, type AgentProfile, type AgentTask } from "../../api/kinds.ts";
import type { Connection } from "../../integrations/connection.ts";
import { renderer } from "../../integrations/github/report/render.ts";
import type { Report } from "../../integrations/report.ts";
import { aProvider } from "../../integrations/testing.ts";
import type { Integration } from "../../integrations/integration.ts";
import { createStore } from "../../kube/store.ts";
import { createFakeClient } from "../../kube/testing.ts";
import type { Condition } from "../../kube/types.ts";
import { aSandboxProvider } from "../../sandbox/testing.ts";
import { FakeClock } from "../../shared/fake-clock.ts";
import { silentLogger } from "../../shared/log.ts";
import { unexpected } from "../../shared/testing.ts";
import type { FindIntegration } from "../integration-handle.ts";
import type { TaskCredentials } from "./broker-secrets.ts";
import { defaultConfig } from "./config.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { StepContext } from "./steps.ts";
import type { TaskFacts } from "./facts.ts";
import { taskCache, taskIndexes, withoutTexts, type TaskCache, type TaskIndex } from "./task-index.ts";
import { defined } from "../../shared/defined.ts";

/** Noon in every test. */
export const noon = new Date("2026-03-01T12:00:00Z");

/** Fields that a test sets in a task; the rest is an ordinary mention on acme/shop#42 by @ana. */
export interface TaskOverrides {
  name?: string;
  namespace?: string;
  uid?: string;
  createdAt?: string;
  deletedAt?: string;
  actor?: { id: string; login: string };
  source?: Partial<TaskSource>;
  spec?: Partial<AgentTaskSpec>;
  status?: AgentTaskStatus;
  /** Conditions that are True, or as given. */
  conditions?: (TaskCondition | Partial<Condition>)[];
}

/** A task as the API server returns it. */
export function aTask(overrides: TaskOverrides = {}): AgentTask {
  const name = overrides.name ?? "shop-abc";
  const metadata = {
    name,
    namespace: overrides.namespace ?? "team",
    uid: overrides.uid ?? `uid-${name}`,
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: overrides.createdAt ?? noon.toISOString(),
    finalizers: ["bellhop.dev/cleanup"],
    ...defined({ deletionTimestamp: overrides.deletedAt }),
  };
  return {
    apiVersion: "bellhop.dev/v1alpha1",
    kind: "AgentTask",
    metadata,
    spec: aSpec(overrides),
    status: { ...overrides.status, conditions: (overrides.conditions ?? []).map(aCondition) },
  };
}

function aSpec({ actor, createdAt, source, spec }: TaskOverrides): AgentTaskSpec {
  return {
    integrationRef: { kind: "GitHubIntegration", name: "shop" },
    source: {
      provider: "github",
      event: "issue_comment",
      action: "created",
      cause: "issue_comment/7001",
      subject: { type: "Issue", key: "acme/shop#42", number: 42, title: "Fix login" },
      object: { type: "IssueComment", id: "7001" },
      text: "@bellhop fix it",
      receivedAt: createdAt ?? noon.toISOString(),
      ...source,
    },
    actor: actor ?? { id: "501", login: "ana" },
    conversation: "acme/shop#42",
    repository: { id: "9001", host: "github.com", owner: "acme", name: "shop" },
    prompt: "fix it",
    profileRef: { name: "default" },
    ...spec,
  };
}

function aCondition(given: TaskCondition | Partial<Condition>): Condition {
  const condition = typeof given === "string" ? { type: given } : given;
  return {
    status: "True",
    reason: "Test",
    message: "",
    lastTransitionTime: noon.toISOString(),
    type: "",
    ...condition,
  };
}

/** An integration for github.com that covers acme/shop. */
export function anIntegration(spec: object = {}): Integration {
  return {
    kind: "GitHubIntegration",
    metadata: { name: "shop", namespace: "team", uid: "uid-shop" },
    spec: gitHubIntegrationSpec.parse({
      repositories: ["acme/shop"],
      credentials: { token: { secretRef: { name: "bot", key: "token" } } },
      triggers: [{ name: "mention", mention: {} }],
      profileRef: { name: "default" },
      ...spec,
    }),
    status: { bot: { id: "99", login: "bellhop[bot]", mention: "bellhop" } },
  };
}

/** A profile with the schema's defaults. */
export function aProfile(spec: object = {}): AgentProfile {
  return {
    metadata: { name: "default", namespace: "team", uid: "uid-profile" },
    spec: agentProfileSpec.parse({ agent: { type: "custom", image: "agent:1", command: ["/run"] }, ...spec }),
  };
}

/** A task cache that holds the given tasks, as an informer would. */
export function taskCacheOf(tasks: readonly AgentTask[]): TaskCache {
  const store = createStore(taskIndexes);
  for (const task of tasks) store.put(withoutTexts(task));
  return taskCache(store);
}

/** An index of the given tasks that counts the returned tasks of all calls. */
export function countingIndex(given: readonly AgentTask[]): { tasks: TaskIndex; seen: () => number } {
  const cache = taskCacheOf(given);
  let seen = 0;
  const counted = (found: AgentTask[]): AgentTask[] => {
    seen += found.length;
    return found;
  };
  return {
    tasks: {
      get: (key) => cache.get(key),
      inRepository: (like, index, value) => counted(cache.inRepository(like, index, value)),
      inConversation: (like, conversation) => counted(cache.inConversation(like, conversation)),
      inChannel: (like) => counted(cache.inChannel(like)),
    },
    seen: () => seen,
  };
}

/** Facts about a task; `tasks` are all tasks in the cache, by default only this one. */
export function facts({
  tasks,
  ...overrides
}: Omit<Partial<TaskFacts>, "tasks"> & { tasks?: AgentTask[] | TaskIndex } = {}): TaskFacts {
  const task = overrides.task ?? aTask();
  const integration = "integration" in overrides ? overrides.integration : anIntegration();
  return {
    integration,
    codeHostIntegration: integration,
    integrationOf: () => integration,
    profile: aProfile(),
    guardrails: { images: [] },
    tasks: tasks === undefined || Array.isArray(tasks) ? taskCacheOf(tasks ?? [task]) : tasks,
    sandbox: undefined,
    admission: { state: "Unknown" },
    ...overrides,
    task,
  };
}

/**
 * Dependencies at noon, with an empty API server, the profile of `aProfile`, no integration, and no cached task, sandbox or token. Calls to
 * sandboxes and token keepers that change something fail: a test gives the methods that it expects.
 */
export function taskDeps(over: Partial<AgentTaskDeps> = {}): AgentTaskDeps {
  const clock = over.clock ?? new FakeClock(noon);
  return {
    kube: createFakeClient({ clock }),
    tasks: taskCacheOf([]),
    profiles: { get: () => aProfile() },
    findIntegration: () => undefined,
    sandbox: aSandboxProvider(),
    egress: async () => ({ probes: [], notProbed: [] }),
    admission: {
      verdict: () => ({ state: "Unknown" }),
      changed: () => {},
      seed: () => {},
      onVerdict: () => () => {},
    },
    credentials: taskCredentials(),
    events: { normal: () => {}, warning: () => {} },
    clock,
    log: silentLogger,
    config: { ...defaultConfig, brokerURL: "https://broker.test", brokerNamespace: "broker" },
    ...over,
  };
}

/** A token keeper that holds nothing; calls that change something fail. */
export function taskCredentials(over: Partial<TaskCredentials> = {}): TaskCredentials {
  return {
    refreshAt: () => undefined,
    ensureFetch: unexpected("ensureFetch"),
    allowPush: unexpected("allowPush"),
    holds: () => false,
    revoke: unexpected("revoke"),
    ...over,
  };
}

/** Finds this integration for every task; it signs in with `connect`. */
export function integrationOf(
  connect: () => Promise<Connection>,
  integration: Integration = anIntegration(),
): FindIntegration {
  return () => ({ integration, provider: aProvider(), connect });
}

/**
 * The context of a step in a reconcile with the dependencies of `taskDeps` and the facts of `facts`; nothing may connect by default. The code
 * host is that of the connection.
 */
export function stepContext(over: Partial<StepContext> = {}): StepContext {
  const { deps = taskDeps(), facts: known = facts(), connection = unexpected("connection") } = over;
  return {
    deps,
    facts: known,
    connection,
    codeHost: async () => (await connection()).codeHost ?? unexpected("codeHost")(),
    codeHostName: () => "github.com",
    mappedRepositories: () => [],
    live: () => deps.kube.get(AgentTaskKind, known.task.metadata),
    signal: new AbortController().signal,
    ...over,
  };
}

/** The repository acme/shop as the status of a task from a thread names it. */
export const shop = {
  id: "9001",
  host: "github.com",
  owner: "acme",
  name: "shop",
  private: false,
  from: "Answer",
} as const;

/** A task from a thread of a chat, whose change goes to the integration `shop` of the code host; the event names no repository. */
export function aThreadTask({ source, spec, ...over }: TaskOverrides = {}): AgentTask {
  const task = aTask({
    actor: { id: "U501", login: "ana" },
    ...over,
    source: {
      provider: "slack",
      instance: "T1",
      event: "app_mention",
      cause: `message/${over.name ?? "1"}`,
      subject: { type: "Thread", key: "C1/100.1" },
      object: { type: "Message", id: "C1/100.1" },
      ...source,
    },
    spec: {
      integrationRef: { kind: "SlackApp", name: "chat" },
      codeHostRef: { kind: "GitHubIntegration", name: "shop" },
      conversation: "C1/100.1",
      ...spec,
    },
  });
  if (spec?.repository === undefined) delete task.spec.repository;
  return task;
}

/** The report as the code host of the tests shows it. */
export function rendered(report: Report): string {
  return renderer("github.com").report(report);
}

/** A commit id of one digit. */
export function shaOf(digit: string): string {
  return digit.repeat(40);
}

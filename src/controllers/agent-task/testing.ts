import { agentProfileSpec } from "../../api/agent-profile.ts";
import type { AgentTaskSpec, TaskSource } from "../../api/agent-task.ts";
import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import { gitHubIntegrationSpec } from "../../api/github-integration.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { Change, CodeHost } from "../../integrations/connection.ts";
import { ProviderError } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/types.ts";
import { createStore } from "../../kube/store.ts";
import type { Condition } from "../../kube/types.ts";
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
      inRepository: (like, index, value) => counted(cache.inRepository(like, index, value)),
      inConversation: (like, conversation) => counted(cache.inConversation(like, conversation)),
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
  return {
    integration: anIntegration(),
    profile: aProfile(),
    guardrails: { images: [] },
    tasks: tasks === undefined || Array.isArray(tasks) ? taskCacheOf(tasks ?? [task]) : tasks,
    sandbox: undefined,
    admission: { state: "Unknown" },
    ...overrides,
    task,
  };
}

/** A repository in memory, as a code host shows it. */
export interface FakeHostState {
  repository: { defaultBranch: string; archived: boolean; empty: boolean } | undefined;
  branches: Record<string, { sha: string; protected: boolean }>;
  changes: Change[];
  /** Valid tokens, with their access. */
  tokens: Map<string, "read" | "write">;
  minted: number;
  now: () => Date;
}

/** A code host in memory: acme/shop with `main` at aaaa…. */
export function fakeHost(over: Partial<FakeHostState> = {}): { host: CodeHost; state: FakeHostState } {
  const state: FakeHostState = {
    repository: { defaultBranch: "main", archived: false, empty: false },
    branches: { main: { sha: shaOf("a"), protected: true } },
    changes: [],
    tokens: new Map(),
    minted: 0,
    now: () => noon,
    ...over,
  };
  const host: CodeHost = {
    async repository(ref) {
      if (!state.repository) throw new ProviderError("NotFound", "404");
      return { ...ref, private: true, cloneURL: "https://github.com/acme/shop.git", ...state.repository };
    },
    async mintToken(_repository, access) {
      const password = `token-${++state.minted}-of-the-fake-host`;
      state.tokens.set(password, access);
      return { username: "x", password, expiresAt: new Date(state.now().getTime() + 3_600_000).toISOString() };
    },
    async revokeToken(token) {
      state.tokens.delete(token);
    },
    branch: async (_repository, name) => state.branches[name],
    change: async (_repository, number) => state.changes.find((change) => change.number === number),
    findChange: async (_repository, headRef) =>
      state.changes.find((change) => change.headRef === headRef && change.state === "Open" && change.sameRepository),
    isBase: async (_repository, branch) =>
      state.changes.some((change) => change.baseRef === branch && change.state === "Open"),
    openChange: () => Promise.reject(new Error("no change is opened here")),
    updateChange: () => Promise.reject(new Error("no change is updated here")),
    closingReference: (subject) => `Fixes #${subject}`,
    skipChecksTrailer: "skip-checks: true",
    releaseChecks: () => Promise.reject(new Error("no checks are released here")),
    coAuthor: ({ id, login }) => `${login} <${id}+${login}@users.noreply.github.com>`,
  };
  return { host, state };
}

/** The parts of a reporter that make text; they change nothing. */
export const plainReporter = {
  encode: (text: string): string => text,
  hiddenMarker: (marker: string): string => `<!-- ${marker} -->`,
  excerpt: (text: string): string => text,
  quote: (words: string): string => `“${words}”`,
};

/** An open pull request of @bob from `feature` to `main`. */
export function aChange(over: Partial<Change> = {}): Change {
  return {
    number: 57,
    url: "https://github.com/acme/shop/pull/57",
    title: "Feature",
    body: "",
    state: "Open",
    draft: false,
    baseRef: "main",
    headRef: "feature",
    headSHA: shaOf("f"),
    sameRepository: true,
    author: { id: "8", login: "bob" },
    ...over,
  };
}

/** A commit id of one digit. */
export function shaOf(digit: string): string {
  return digit.repeat(40);
}

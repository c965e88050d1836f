import type { AgentTask } from "../../api/kinds.ts";
import type { IndexFunction } from "../../kube/store.ts";
import type { ObjectKey, Store } from "../../kube/types.ts";
import {
  conversationOf,
  holds,
  isKubernetes,
  isNotPosted,
  isOver,
  isWork,
  repositoryOf,
  wasRefused,
  type Conversation,
} from "./state.ts";

/** Indexes of the tasks of one repository: each is over a number or name in the task's status. */
export type RepositoryIndex = "change" | "commit" | "branch" | "head" | "base" | "unsettled";

/**
 * Look-ups of tasks in a namespace. Answers come from indexes of the cache and no call reads every task, so a reconcile costs the same
 * with ten tasks as with ten thousand.
 */
export interface TaskIndex {
  get(key: ObjectKey): AgentTask | undefined;
  /** Tasks in the namespace and repository of `like` for which `index` returned `value`; the index `unsettled` has no value. */
  inRepository(like: AgentTask, index: RepositoryIndex, value?: string | number): AgentTask[];
  /** Tasks in the namespace of `like` whose status, or else spec, names `conversation`. */
  inConversation(like: AgentTask, conversation: Conversation): AgentTask[];
  /** Tasks of the integration of `like` whose requests were made in the same channel of a chat. */
  inChannel(like: AgentTask): AgentTask[];
}

/** The operator's cache of tasks; built on an informer's store with the indexes below. */
export interface TaskCache extends TaskIndex {
  /** Work that is authorised and has not ended, in all namespaces: it counts against the limits or waits for them. */
  active(): AgentTask[];
  /** Tasks of a namespace that have not ended, or whose report could not be posted. */
  open(namespace: string): AgentTask[];
  /** Tasks that were requested at an integration, or whose changes go there. */
  ofIntegration(integration: { kind: string; namespace: string; name: string }): AgentTask[];
}

/** The indexes that the informer of tasks keeps. */
export const taskIndexes: Record<string, IndexFunction<AgentTask>> = {
  active: (task) => (isWork(task) && holds(task, "Authorized") && !isOver(task) ? [""] : []),
  open: (task) => (isOver(task) && !isNotPosted(task) ? [] : [task.metadata.namespace]),
  integration: ({ metadata, spec: { integrationRef: at, codeHostRef: host = at } }) => [
    ...new Set([at, host].map(({ kind, name }) => keyOf(metadata.namespace, kind, name))),
  ],
  conversation: (task) => [conversationKey(task, conversationOf(task))],
  channel: (task) => keysOf(channelKey(task)),
  ...repositoryIndexes({
    change: (task) => task.status?.result?.changeNumber,
    commit: (task) => task.status?.result?.commit,
    branch: (task) => task.status?.result?.branch,
    /** The branch that a task which has not ended works on. */
    head: (task) => (isOver(task) ? undefined : task.status?.checkout?.headRef),
    base: (task) => task.status?.checkout?.baseRef,
    /** Tasks that are not refused and have no final conversation yet: it depends on the results of other tasks. */
    unsettled: (task) => (task.status?.conversation === undefined && !wasRefused(task) ? "" : undefined),
  }),
};

/** Makes a task cache from the store of an informer that has `taskIndexes`. */
export function taskCache(store: Pick<Store<AgentTask>, "get" | "byIndex">): TaskCache {
  return {
    get: (key) => store.get(key),
    active: () => store.byIndex("active", ""),
    open: (namespace) => store.byIndex("open", namespace),
    ofIntegration: ({ namespace, kind, name }) => store.byIndex("integration", keyOf(namespace, kind, name)),
    inConversation: (like, conversation) => store.byIndex("conversation", conversationKey(like, conversation)),
    inChannel: (like) => keysOf(channelKey(like)).flatMap((key) => store.byIndex("channel", key)),
    inRepository: (like, index, value = "") => {
      const key = repositoryKey(like, value);
      return key === undefined ? [] : store.byIndex(index, key);
    },
  };
}

/** Removes prompts and comments before a task is cached: they are up to 64 KiB each. Code that needs them reads the task from the API server. */
export function withoutTexts(task: AgentTask): AgentTask {
  const { prompt: _prompt, ...spec } = task.spec;
  const { text: _text, ...source } = spec.source;
  return { ...task, spec: { ...spec, source } };
}

/** Lists tasks in small pages without their texts, so that ten thousand whole tasks are never in memory at once. */
export const taskPages = { pageSize: 100, transform: withoutTexts };

type ValueOf = (task: AgentTask) => string | number | undefined;

function repositoryIndexes(values: Record<RepositoryIndex, ValueOf>): Record<string, IndexFunction<AgentTask>> {
  const indexOf =
    (valueOf: ValueOf): IndexFunction<AgentTask> =>
    (task) => {
      const value = valueOf(task);
      return keysOf(value === undefined ? undefined : repositoryKey(task, value));
    };
  return Object.fromEntries(Object.entries(values).map(([name, valueOf]) => [name, indexOf(valueOf)]));
}

function repositoryKey(task: AgentTask, value: string | number): string | undefined {
  const repository = repositoryOf(task);
  return repository && keyOf(task.metadata.namespace, repository.host, repository.id, value);
}

/** Key of the channel where a request was made. The author of a task from kubectl could name any channel. */
function channelKey(task: AgentTask): string | undefined {
  const { source, integrationRef } = task.spec;
  if (source.channel === undefined || isKubernetes(task)) return undefined;
  return keyOf(task.metadata.namespace, integrationRef.kind, integrationRef.name, source.instance, source.channel);
}

function keysOf(key: string | undefined): string[] {
  return key === undefined ? [] : [key];
}

/** Key of a conversation; distinguishes it from those of the same name in other namespaces and at other instances. */
export function conversationKey({ metadata }: AgentTask, { instance, name }: Conversation): string {
  return keyOf(metadata.namespace, instance, name);
}

function keyOf(...parts: (string | number | undefined)[]): string {
  return JSON.stringify(parts);
}

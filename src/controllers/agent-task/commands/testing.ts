import { AgentTaskKind, type AgentTask } from "../../../api/kinds.ts";
import type { AgentTaskSpec } from "../../../api/agent-task.ts";
import { aConnection, aThread, fakeHost } from "../../../integrations/testing.ts";
import type { Permission } from "../../../integrations/code-host.ts";
import type { Thread } from "../../../integrations/connection.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import type { StatusPatch } from "../facts.ts";
import { defined } from "../../../shared/defined.ts";
import type { StepContext } from "../steps.ts";
import {
  anIntegration,
  aThreadTask,
  facts,
  shaOf,
  shop,
  stepContext,
  taskCacheOf,
  taskDeps,
  type TaskOverrides,
} from "../testing.ts";
import { commandStep } from "./index.ts";

/** A time of the tests' day. */
export const at = (minute: number): string => `2026-03-01T11:${String(minute).padStart(2, "0")}:00Z`;
const question = { text: "Which repository?", choices: ["acme/site"], askedAt: at(0) };
/** The conditions of work that waits for an answer, and for an approval. */
export const answers = { type: "RepositoryResolved", status: "Unknown", reason: "WaitingForAnswer" } as const;
export const waits = { type: "Approved", status: "Unknown", reason: "WaitingForApproval" } as const;
/** People of the chat. Both have accounts at the code host. */
export const ana = { id: "U501", login: "ana" };
export const bob = { id: "U502", login: "bob" };

/** Work that waits for the name of its repository. */
export const asking = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({
    name,
    createdAt: at(minute),
    conditions: ["Authorized", answers],
    ...over,
    status: { question, ...over.status },
  });
/** Work that waits for an approval before it runs. */
export const held = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({
    name,
    createdAt: at(minute),
    conditions: ["Authorized", waits],
    ...over,
    status: { repository: shop, ...over.status },
  });
/** The branch of `published` work. */
export const branch = "bellhop/fix";
/** Work that left a commit. */
export const published = (name: string, minute: number, over: TaskOverrides = {}): AgentTask =>
  aThreadTask({
    name,
    createdAt: at(minute),
    conditions: ["Authorized", { type: "Succeeded", reason: "Published" }],
    ...over,
    status: { repository: shop, result: { commit: shaOf("c"), branch }, ...over.status },
  });

/** Who gives a command, and with what. */
export interface Given {
  by?: { id: string; login: string };
  argument?: string;
  permission?: Permission;
  over?: TaskOverrides;
  /** The tasks as the cache has them, if it is behind. */
  cached?: AgentTask[];
  /** The thread, if it has more than a list of messages. */
  thread?: Thread;
}

/** Gives a command in the thread; Bob is bob-dev at the code host. Returns its end, the requests of each task afterwards, and new tasks. */
export async function give(command: AgentTaskSpec["command"], others: AgentTask[], given: Given = {}) {
  const task = commandOf(command, given);
  const kube = createFakeClient();
  for (const one of [task, ...others]) kube.seed(AgentTaskKind, one);
  const context = contextOf(task, [task, ...(given.cached ?? others)], {
    kube,
    permission: given.permission ?? "Write",
    thread: given.thread ?? aThread(),
  });
  const plan = await commandStep.plan(context, () => context);
  const patches = (await Promise.all(plan.actions.map((action) => action()))) as StatusPatch[];
  const end = [plan, ...patches].flatMap(({ conditions }) => conditions ?? []).at(-1);
  const stored = kube.objects(AgentTaskKind);
  const requests = requestsOf(stored);
  const created = stored.filter(
    ({ spec }) => spec.retryOf?.name !== undefined && spec.source.cause === task.spec.source.cause,
  );
  return { reason: end?.reason, message: end?.message, requests, created };
}

function requestsOf(stored: readonly AgentTask[]): Record<string, unknown[]> {
  const withRequests = stored.filter(({ status }) => status?.requests);
  const entries = withRequests.map(({ metadata, status }): [string, unknown[]] => [
    metadata.name,
    (status?.requests ?? []).map(({ type, argument }) => [type, argument]),
  ]);
  return Object.fromEntries(entries);
}

function commandOf(command: AgentTaskSpec["command"], { by = bob, argument, over = {} }: Given): AgentTask {
  return aThreadTask({
    name: "command",
    createdAt: at(30),
    actor: by,
    conditions: ["Authorized"],
    ...over,
    spec: { ...defined({ command, commandArgument: argument }), ...over.spec },
  });
}

function contextOf(
  task: AgentTask,
  cached: AgentTask[],
  { kube, permission, thread }: { kube: ReturnType<typeof createFakeClient>; permission: Permission; thread: Thread },
): StepContext {
  const tasks = taskCacheOf(cached);
  const people = [
    { id: "U502", codeHost: { id: "502", login: "bob-dev" } },
    { id: "U501", codeHost: { id: "501", login: "ana-dev" } },
  ];
  const plain = anIntegration();
  const integration = { ...plain, spec: { ...plain.spec, access: { ...plain.spec.access, people } } };
  const { host } = fakeHost({ permissions: { "501": "Admin", "502": permission } });
  host.releaseChecks = async () => ({ sha: shaOf("d") });
  return stepContext({
    deps: taskDeps({ kube, tasks }),
    facts: facts({ task, tasks, integration }),
    connection: async () => aConnection({ codeHost: host, thread }),
  });
}

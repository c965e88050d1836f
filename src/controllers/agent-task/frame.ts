import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { CodeHost } from "../../integrations/code-host.ts";
import type { Connection } from "../../integrations/connection.ts";
import { sameJson, updateStatus } from "../../kube/apply.ts";
import { isConflict } from "../../kube/errors.ts";
import type { Result } from "../../kube/types.ts";
import { BellhopError } from "../../shared/errors.ts";
import { isForCondition, requeueAfterFailure, retryCondition } from "../provider-failure.ts";
import type { IntegrationHandle } from "../integration-handle.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { StatusPatch, TaskFacts } from "./facts.ts";
import { recordChange } from "./record-change.ts";
import { codeHostRefOf, conditionOf, holds, isDecided, isOver, mayQueue, newestAttempt } from "./state.ts";
import { patchedStatus } from "./status.ts";
import type { AnyStep, Plan, StepContext } from "./steps.ts";

/** State of one reconcile while it runs the steps. */
interface StepRun {
  deps: AgentTaskDeps;
  /** The task as last read or written. */
  stored: AgentTask;
  /** The task with the changes that are not written yet. */
  task: AgentTask;
  /** The write in progress. */
  writing?: Promise<void> | undefined;
  /** Why the last write failed. After a conflict the facts are out of date, and the reconcile ends. */
  failedWrite?: unknown;
  /** Gathered at the start, after each change, and before each action, so that no action uses facts from before a slow provider call. */
  facts: TaskFacts;
  connections: Connections;
  signal: AbortSignal;
  waitsMs: number[];
  failure?: unknown;
}

/**
 * Runs the steps for a task, once. The changes of several steps become one write of the status: it is written before each action, before
 * something asks for a connection or the live task, and in the end. Returns when to reconcile again. Rethrows the error of a step after the
 * steps marked `always` have run.
 */
export async function runSteps(
  deps: AgentTaskDeps,
  steps: readonly AnyStep[],
  task: AgentTask,
  signal: AbortSignal,
): Promise<Result> {
  const state: StepRun = {
    deps,
    stored: task,
    task,
    facts: gatherFacts(deps, task),
    connections: connectionsOf(deps, task),
    signal,
    waitsMs: [],
  };
  for (const step of steps) {
    if (state.failure === undefined || step.always) await tryStep(state, step);
  }
  await write(state);
  const requeueAfterMs = state.waitsMs.length > 0 ? Math.min(...state.waitsMs) : undefined;
  if (state.failure !== undefined) return requeueAfterFailure(state.failure, requeueAfterMs);
  return requeueAfterMs === undefined ? {} : { requeueAfterMs };
}

async function tryStep(state: StepRun, step: AnyStep): Promise<void> {
  try {
    await runStep(state, step);
  } catch (error) {
    // The facts are out of date: no step may use them, not even those marked `always`. The results of earlier actions are still written.
    if (isConflict(error)) {
      if (error !== state.failedWrite) await write(state);
      throw error;
    }
    state.failure ??= error;
    await showFailure(state, step, error);
  }
}

async function runStep(state: StepRun, step: AnyStep): Promise<void> {
  state.failedWrite = undefined;
  const context = contextOf(state);
  if (!step.concerns(context.facts, state.deps.clock.now())) return;
  const plan = await planOf(state, step, context);
  change(state, plan);
  if (plan.requeueAfterMs !== undefined) state.waitsMs.push(plan.requeueAfterMs);
  for (const action of plan.actions) {
    await write(state);
    change(state, (await action()) ?? {});
  }
}

/**
 * Gathers and decides. A step may treat a failed connection as a reason to wait, but it must not hide that our own write failed. If a failed gather
 * left a write running, it waits for that write, which would overwrite later changes.
 */
async function planOf(state: StepRun, step: AnyStep, context: StepContext): Promise<Plan> {
  const plan = step.plan(context, () => contextOf(refreshFacts(state)));
  await Promise.allSettled([plan]);
  await state.writing?.catch(() => {});
  if (state.failedWrite !== undefined) throw state.failedWrite;
  return plan;
}

/** Applies a patch to the task; it is written later. */
function change(state: StepRun, patch: StatusPatch): void {
  if (patch.conditions === undefined && patch.fields === undefined && patch.drop === undefined) return;
  const status = patchedStatus(state.task, patch, state.deps.clock.now());
  if (sameJson(state.task.status ?? {}, status)) return;
  state.task = { ...state.task, status };
  refreshFacts(state);
}

/** Writes the changes, if there are any. Throws a conflict if somebody else changed the task since it was read. */
async function write(state: StepRun): Promise<void> {
  await state.writing;
  if (state.task === state.stored) return;
  state.writing = store(state);
  try {
    await state.writing;
  } catch (error) {
    state.failedWrite = error;
    throw error;
  } finally {
    state.writing = undefined;
  }
}

async function store(state: StepRun): Promise<void> {
  const { deps, stored, task } = state;
  const written = await updateStatus(deps.kube, AgentTaskKind, stored, task.status ?? {});
  state.stored = written;
  state.task = written;
  refreshFacts(state);
  if (written !== stored) recordChange(deps, stored, written);
}

function refreshFacts(state: StepRun): StepRun {
  state.facts = gatherFacts(state.deps, state.task);
  return state;
}

/** Gathers the facts of a task from caches and memory; makes no call. */
function gatherFacts(deps: AgentTaskDeps, task: AgentTask): TaskFacts {
  const { namespace } = task.metadata;
  const attempt = newestAttempt(task);
  const waits = mayQueue(task) && !holds(task, "Admitted") && !isOver(task);
  return {
    task,
    integration: deps.findIntegration({ ...task.spec.integrationRef, namespace })?.integration,
    codeHostIntegration: deps.findIntegration({ ...codeHostRefOf(task), namespace })?.integration,
    integrationOf: ({ spec }) => deps.findIntegration({ ...spec.integrationRef, namespace })?.integration,
    profile: deps.profiles.get({ namespace, name: task.spec.profileRef.name }),
    guardrails: deps.config.guardrails,
    tasks: deps.tasks,
    sandbox: attempt ? deps.sandbox.observe(task, attempt.number) : undefined,
    admission: waits ? deps.admission.verdict(task) : { state: "Unknown" },
  };
}

function contextOf(state: StepRun): StepContext {
  const { deps, task, facts, connections, signal } = state;
  return {
    deps,
    facts,
    ...connections,
    // A call to the provider may take long, so the changes are written first: people see them.
    connection: () => write(state).then(connections.connection),
    codeHost: () => write(state).then(connections.codeHost),
    live: () => write(state).then(() => deps.kube.get(AgentTaskKind, task.metadata, signal)),
    signal,
  };
}

type Connections = Pick<StepContext, "connection" | "codeHost" | "codeHostName" | "mappedRepositories">;

/** The connections of a task; each integration signs in once in a reconcile. */
function connectionsOf(deps: AgentTaskDeps, task: AgentTask): Connections {
  const { integrationRef, conversation } = task.spec;
  const find = (ref: { kind: string; name: string }): IntegrationHandle | undefined =>
    deps.findIntegration({ ...ref, namespace: task.metadata.namespace });
  const connection = once(() => connect(find(integrationRef), integrationRef, "IntegrationNotFound"));
  const hostRef = codeHostRefOf(task);
  const host = task.spec.codeHostRef ? once(() => connect(find(hostRef), hostRef, "CodeHostNotFound")) : connection;
  return {
    connection,
    codeHost: async () => requireCodeHost(await host(), hostRef),
    codeHostName: () => {
      const handle = find(hostRef);
      return handle?.provider.host(handle.integration) ?? "";
    },
    mappedRepositories: () => mappedTo(find(integrationRef), conversation),
  };
}

function mappedTo(handle: IntegrationHandle | undefined, conversation: string): string[] {
  const place = handle?.provider.placeOf?.(conversation);
  const mapped = handle?.provider.mappedRepositories?.(handle.integration) ?? [];
  return mapped.flatMap(({ name, places }) => (place !== undefined && places.includes(place) ? [name] : []));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function connect(
  handle: IntegrationHandle | undefined,
  { kind, name }: { kind: string; name: string },
  code: "IntegrationNotFound" | "CodeHostNotFound",
): Promise<Connection> {
  if (handle) return handle.connect();
  throw new BellhopError(code, `${kind} ${name} does not exist in this namespace.`, { retryable: true });
}

function requireCodeHost({ codeHost }: Connection, { kind, name }: { kind: string; name: string }): CodeHost {
  if (codeHost) return codeHost;
  throw new BellhopError("NotSupported", `${kind} ${name} is not a code host: no change can go there.`);
}

/** Shows in the step's condition why it failed, once for each reason: a message that changed with each try would trigger a reconcile each time. */
async function showFailure(state: StepRun, step: AnyStep, error: unknown): Promise<void> {
  if (!isForCondition(error)) return;
  const { condition: type } = step;
  if (type === undefined || isDecidedForGood(state.task, step) || conditionOf(state.task, type)?.reason === error.code)
    return;
  try {
    change(state, { conditions: [{ type, ...retryCondition(error) }] });
    await write(state);
  } catch (failure) {
    state.deps.log.debug(
      { step: step.name, error: failure },
      "could not write a step's failure to the task's conditions",
    );
  }
}

/** Whether a temporary failure must not overwrite the condition: `True` stays, `False` may only mean waiting. */
function isDecidedForGood(task: AgentTask, { condition }: AnyStep): boolean {
  return condition === undefined || isDecided(task, "Succeeded") || conditionOf(task, condition)?.status === "True";
}

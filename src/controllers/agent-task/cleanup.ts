import { AgentTaskKind, type AgentTask } from "../../api/kinds.ts";
import type { Change, CodeHost } from "../../integrations/code-host.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import type { SandboxState } from "../../sandbox/provider.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { AgentTaskConfig } from "./config.ts";
import type { Decision, StatusFields, TaskFacts } from "./facts.ts";
import { endedByOperator } from "./follow.ts";
import { holds, isDecided, isOver, newestFirst, repositoryOf } from "./state.ts";
import type { Step, StepContext } from "./steps.ts";
import { defined } from "../../shared/defined.ts";

/** Resources that are left of a task that has ended. */
export interface CleanupReading {
  pods: { attempt: number; state: SandboxState }[];
  /** Whether the task still has tokens in the broker's namespace. */
  holdsTokens: boolean;
  /** The state of its change; read only when the task's retention time has passed. `Unknown` if the code host cannot be read. */
  change?: Change["state"] | "Unknown" | undefined;
  retention: AgentTaskConfig["retention"];
}

/** One clean-up action. */
export type CleanupAction =
  | { do: "harvest"; attempt: number }
  | { do: "removePod"; attempt: number }
  | { do: "revoke" }
  | { do: "deleteTask"; warning?: string };

/** How long a courier may take to end by itself after the task has ended. */
const courierEndMs = 60_000;
/**
 * How long the tokens of a task that has ended wait for its final report, which may take minutes in a burst. The broker accepts nothing more for
 * the task meanwhile.
 */
const reportFirstMs = 10 * 60_000;
/** How often an open change is read again. */
const askAgainMs = 6 * 60 * 60_000;

/** Removes the pods and tokens of a task that has ended and, after its retention time, the task. */
export const cleanup: Step<CleanupReading, CleanupAction> = {
  name: "cleanup",
  always: true,
  concerns: ({ task }) => isOver(task),
  gather: readRemains,
  decide: (facts, reading, now) => decideCleanup(facts, reading, now.getTime()),
  apply,
};

async function readRemains(context: StepContext): Promise<CleanupReading> {
  const { deps, facts } = context;
  const { task } = facts;
  const { retention } = deps.config;
  const pods = (task.status?.attempts ?? []).map(({ number }) => ({
    attempt: number,
    state: deps.sandbox.observe(task, number),
  }));
  const base = { pods, retention, holdsTokens: deps.credentials.holds(task) };
  const due = deps.clock.now().getTime() >= endMs(task) + retention.taskMs;
  return due ? { ...base, change: await readChange(context) } : base;
}

/** Undefined if there is no change, or its repository or the integration does not exist any more. */
async function readChange(context: StepContext): Promise<CleanupReading["change"]> {
  const { task, codeHostIntegration } = context.facts;
  const number = changeWith(context.facts);
  const repository = repositoryOf(task);
  if (number === undefined || !codeHostIntegration || !repository) return undefined;
  try {
    const codeHost = await context.codeHost();
    return await stateOf(() => codeHost.change(repository, number, context.signal));
  } catch (error) {
    // Pods and tokens are removed even if the provider does not answer.
    if (context.signal.aborted || !(error instanceof BellhopError)) throw error;
    const { namespace, name } = task.metadata;
    context.deps.log.warn(
      { namespace, task: name, error },
      "could not read the change of a task whose retention time has passed",
    );
    return "Unknown";
  }
}

async function stateOf(ask: () => Promise<Change | undefined> | undefined): Promise<Change["state"] | undefined> {
  try {
    return (await ask())?.state;
  } catch (error) {
    if (!isProviderFailure(error, "NotFound")) throw error;
    return undefined;
  }
}

function decideCleanup(facts: TaskFacts, reading: CleanupReading, nowMs: number): Decision<CleanupAction> {
  const pods = reading.pods.map((pod) => decidePod(facts.task, pod, reading, nowMs));
  const own = decideTask(facts, reading, nowMs);
  // The finalizer of a deleted task revokes the tokens as well, and has a time-out.
  const tokens = own.actions.length === 0 ? decideTokens(facts.task, reading, nowMs) : { actions: [] };
  const waits = [...pods, tokens, own].flatMap(({ waitMs }) => (waitMs === undefined ? [] : [waitMs]));
  return {
    ...(own.fields ? { fields: own.fields } : {}),
    actions: [...pods.flatMap(({ actions }) => actions), ...tokens.actions, ...own.actions],
    ...(waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : {}),
  };
}

interface CleanupPlan {
  actions: CleanupAction[];
  fields?: StatusFields;
  waitMs?: number;
}

function decidePod(
  task: AgentTask,
  { attempt, state }: CleanupReading["pods"][number],
  { retention }: CleanupReading,
  nowMs: number,
): CleanupPlan {
  if (state.state === "Missing") return { actions: [] };
  const removal: CleanupAction[] = [
    { do: "removePod", attempt },
    { do: "harvest", attempt },
  ];
  const live = state.state === "Pending" || state.state === "Running" || isExposed(state);
  if (live) {
    const waitMs = endedByOperator(task) || isExposed(state) ? 0 : endMs(task) + courierEndMs - nowMs;
    return waitMs <= 0 ? { actions: removal } : { actions: [], waitMs };
  }
  const keepMs = holds(task, "Succeeded") ? retention.podMs : retention.failedPodMs;
  const waitMs = endMs(task) + keepMs - nowMs;
  return waitMs <= 0 ? { actions: removal } : { actions: [{ do: "harvest", attempt }], waitMs };
}

/** Whether a foreign NetworkPolicy opened the network of a pod that may still run. */
function isExposed(state: SandboxState): boolean {
  return state.state === "Broken" && state.reason === "ForeignNetworkPolicy";
}

/** A revocation is a write at the provider, and waits for its turn there. The final report, which people wait for, goes first. */
function decideTokens(task: AgentTask, { holdsTokens }: CleanupReading, nowMs: number): CleanupPlan {
  if (!holdsTokens) return { actions: [] };
  const reports = task.spec.source.provider !== "kubernetes" && !isDecided(task, "Reported");
  const waitMs = reports ? endMs(task) + reportFirstMs - nowMs : 0;
  return waitMs > 0 ? { actions: [], waitMs } : { actions: [{ do: "revoke" }] };
}

function decideTask(facts: TaskFacts, { retention, change }: CleanupReading, nowMs: number): CleanupPlan {
  const waitMs = endMs(facts.task) + retention.taskMs - nowMs;
  if (waitMs > 0) return { actions: [], waitMs };
  if (change === "Unknown") return decideUnknown(facts.task, retention.unknownChangeMs, nowMs);
  if (change !== "Open") return { actions: [{ do: "deleteTask" }] };
  const known = facts.task.status?.changeUnknownSince === undefined;
  return { actions: [], waitMs: askAgainMs, ...(known ? {} : { fields: { changeUnknownSince: undefined } }) };
}

/** Waits for a code host that cannot be read: it may answer again and show an open change. After `unknownChangeMs` the task is deleted. */
function decideUnknown({ status }: AgentTask, unknownChangeMs: number, nowMs: number): CleanupPlan {
  const since = status?.changeUnknownSince;
  if (since === undefined) {
    return { actions: [], waitMs: askAgainMs, fields: { changeUnknownSince: new Date(nowMs).toISOString() } };
  }
  const leftMs = Date.parse(since) + unknownChangeMs - nowMs;
  if (leftMs > 0) return { actions: [], waitMs: Math.min(leftMs, askAgainMs) };
  const warning = `Deleted the task without knowing whether its change is closed: the code host could not be read since ${since}.`;
  return { actions: [{ do: "deleteTask", warning }] };
}

/**
 * The change that contains the task's work: its own, or that of another task on the same branch. While it is open, the next task needs
 * this task to find the branch, and an approval needs it to find every requester of work in the change.
 */
function changeWith({ task, tasks }: TaskFacts): number | undefined {
  const { branch, changeNumber } = task.status?.result ?? {};
  if (changeNumber !== undefined || branch === undefined) return changeNumber;
  return tasks
    .inRepository(task, "branch", branch)
    .sort(newestFirst)
    .find((other) => other.status?.result?.changeNumber !== undefined)?.status?.result?.changeNumber;
}

function endMs(task: AgentTask): number {
  return Date.parse(task.status?.completionTime ?? task.metadata.creationTimestamp ?? "") || 0;
}

async function apply(context: StepContext, action: CleanupAction): Promise<undefined> {
  const { deps, facts, signal } = context;
  const { task } = facts;
  if (action.do === "harvest") await deps.sandbox.harvested(task, action.attempt, signal);
  if (action.do === "removePod") await deps.sandbox.remove(task, action.attempt, 5, signal);
  if (action.do === "revoke") await deps.credentials.revoke(task, await codeHostOf(context), signal);
  if (action.do === "deleteTask") {
    const { uid } = task.metadata;
    if (action.warning !== undefined) deps.events.warning(task, "ChangeUnknown", action.warning);
    await deps.kube.delete(AgentTaskKind, task.metadata, defined({ uid }));
  }
  return undefined;
}

async function codeHostOf(context: StepContext): Promise<CodeHost | undefined> {
  return context.facts.codeHostIntegration ? context.codeHost() : undefined;
}

import type { TaskCondition } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import type { CodeHost } from "../../integrations/code-host.ts";
import type { Connection } from "../../integrations/connection.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { Decision, StatusPatch, TaskFacts } from "./facts.ts";
import { defined } from "../../shared/defined.ts";

/** Facts and services that a step may use. */
export interface StepContext {
  deps: AgentTaskDeps;
  facts: TaskFacts;
  /** The connection of the signed-in integration, the same throughout a reconcile. Throws `BellhopError` if the integration does not exist. */
  connection(): Promise<Connection>;
  /** The code host where the task's change goes. Throws `BellhopError` `CodeHostNotFound` or `NotSupported`. */
  codeHost(): Promise<CodeHost>;
  /** Host name of that code host; empty if its integration does not exist. */
  codeHostName(): string;
  /** Repositories that the integration maps to the place of the request, `owner/name`. */
  mappedRepositories(): readonly string[];
  /** Reads the complete task from the API server; read it before an action that must not happen twice. Throws `ApiError`. */
  live(): Promise<AgentTask>;
  signal: AbortSignal;
}

/**
 * How a task ends: condition `Succeeded` becomes `True` or `False`. After that only `report`, clean-up and the report fields change.
 * Other steps use these reasons: `Cancelled` (phase Cancelled), `Delivered` and `Duplicate` (with `True`: the phases of the same name).
 * `Authorized=False` also ends a task, with the phase Refused.
 *
 * Publishing: while `status.publish` is set, only the publish step handles the end of the sandbox, because it reads the code host. If the
 * host shows `publish.newId`, the step writes `result` and ends the task. If the push certainly did not happen and the sandbox has ended,
 * the step removes `status.publish`, and the follow step ends the task with the outcome of the sandbox. An outcome `Published` without
 * `status.publish` is false and fails the task.
 */

/**
 * One step of a task. In each reconcile the frame runs the steps in order. For each step that `concerns` the task it does: gather → decide
 * → write the status → apply each action → write the patches that the actions return. The next step sees the task as written.
 *
 * If a step throws, the steps after it are skipped, except those marked `always`, and the reconcile is retried with back-off (or after the
 * `retryAfterMs` of a ProviderError). Every write is conditional on the `resourceVersion` of the facts, so a decision on stale facts is
 * refused (409) and made again. An action that must survive a crash is written to the status first (an intent). Actions are idempotent.
 */
export interface Step<Reading, Action> {
  /** The step's name in logs and errors. */
  readonly name: string;
  /** The condition that shows a failure of this step, unless the condition is already `True`. */
  readonly condition?: TaskCondition;
  /** The step also runs if an earlier step of the same reconcile threw. */
  readonly always?: boolean;
  /** Whether the step has anything to read or decide for the task now. Pure and cheap. */
  concerns(facts: TaskFacts, now: Date): boolean;
  /** Reads the information that the facts do not have. Writes nothing. */
  gather(context: StepContext): Promise<Reading>;
  /** Decides the new status and the actions, each with a human-readable reason. Pure. */
  decide(facts: TaskFacts, reading: Reading, now: Date): Decision<Action>;
  /** Performs one action; idempotent. The returned patch is written to the status next. */
  apply(context: StepContext, action: Action): Promise<StatusPatch | undefined>;
}

/** The decision of one step, with its actions ready to run. */
export interface Plan extends StatusPatch {
  actions: (() => Promise<StatusPatch | undefined>)[];
  requeueAfterMs?: number;
}

/** A step as the frame sees it, without the types of its reading and its actions. */
export interface AnyStep extends Pick<Step<never, never>, "name" | "condition" | "always" | "concerns"> {
  /** Gathers and decides. `latest` returns the context at the time when an action runs. */
  plan(context: StepContext, latest: () => StepContext): Promise<Plan>;
}

/** Hides the types of a step's reading and actions. */
export function asStep<Reading, Action>(step: Step<Reading, Action>): AnyStep {
  return {
    name: step.name,
    ...defined({ condition: step.condition, always: step.always }),
    concerns: (facts, now) => step.concerns(facts, now),
    async plan(context, latest) {
      const reading = await step.gather(context);
      const { actions = [], ...rest } = step.decide(context.facts, reading, context.deps.clock.now());
      return { ...rest, actions: actions.map((action) => () => step.apply(latest(), action)) };
    },
  };
}

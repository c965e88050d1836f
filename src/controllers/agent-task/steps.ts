import type { TaskCondition } from "../../api/agent-task-status.ts";
import type { AgentTask } from "../../api/kinds.ts";
import type { Connection } from "../../integrations/connection.ts";
import type { AgentTaskDeps } from "./deps.ts";
import type { Decision, StatusPatch, TaskFacts } from "./facts.ts";

/** What a step may use besides the facts. */
export interface StepContext {
  deps: AgentTaskDeps;
  facts: TaskFacts;
  /** The signed-in integration; the same one throughout a reconcile. Throws `BellhopError` where the integration is gone. */
  connection(): Promise<Connection>;
  /** The task as the API server has it now: whole, and the fence for what must not happen twice. Throws `ApiError`. */
  live(): Promise<AgentTask>;
  signal: AbortSignal;
}

/**
 * How a task ends: condition `Succeeded` becomes `True` or `False`, and nothing but `report`, clean-up and the report fields changes
 * after that. Reasons with a meaning to other steps: `Cancelled` (phase Cancelled), `Delivered` and `Duplicate` (with `True`: the
 * phases of that name); the phase Refused comes from `Authorized=False`, which ends a task just as well.
 *
 * Publishing: as long as `status.publish` is set, the end of the sandbox is judged by the publish step and by no other: it reads the
 * host. Where the host shows `publish.newId`, it writes `result` and ends the task; where the push certainly did not happen and the
 * sandbox has ended, it removes `status.publish`, and the follow step ends the task by what the sandbox left. An outcome `Published`
 * without `status.publish` is a lie and fails.
 */

/**
 * One step in the life of a task. In each reconcile the frame goes through the steps in order, and for each that `concerns` the task:
 * gather → decide → write the status → apply each action → write what the actions answered. The next step sees the task as written.
 *
 * Where something throws, the steps after it are left out, but for those marked `always`; the reconcile is then repeated with
 * back-off (`retryAfterMs` of a ProviderError is kept). Every write is conditional on the `resourceVersion` the facts were taken from,
 * so that a decision on stale facts is refused (409) and made again. Whatever is to survive a crash between two writes is written
 * before it is done (an intent), and actions are idempotent.
 */
export interface Step<Reading, Action> {
  /** In logs and errors. */
  readonly name: string;
  /** Where a provider failure in this step is shown, as long as it is not `True` or `False` yet. */
  readonly condition?: TaskCondition;
  /** Runs also where an earlier step of the same reconcile threw. */
  readonly always?: boolean;
  /** Pure: whether there is anything to read or decide for the task as it stands. Cheap. */
  concerns(facts: TaskFacts, now: Date): boolean;
  /** Reads what the facts do not have. Writes nothing anywhere. */
  gather(context: StepContext): Promise<Reading>;
  /** Pure: what shall be, with a reason a person can read. */
  decide(facts: TaskFacts, reading: Reading, now: Date): Decision<Action>;
  /** Does one thing in the world; idempotent. What it answers is written to the status next. */
  apply(context: StepContext, action: Action): Promise<StatusPatch | undefined>;
}

/** What one step wants, with its actions ready to run. */
export interface Plan extends StatusPatch {
  actions: (() => Promise<StatusPatch | undefined>)[];
  requeueAfterMs?: number;
}

/** A step whose types are its own business: what the frame sees. */
export interface AnyStep extends Pick<Step<never, never>, "name" | "condition" | "always" | "concerns"> {
  /** Gather and decide. `latest` gives the context as it is when an action runs. */
  plan(context: StepContext, latest: () => StepContext): Promise<Plan>;
}

/** Ties a step's reading and action together and hides them. */
export function asStep<Reading, Action>(step: Step<Reading, Action>): AnyStep {
  return {
    name: step.name,
    ...(step.condition === undefined ? {} : { condition: step.condition }),
    ...(step.always === undefined ? {} : { always: step.always }),
    concerns: (facts, now) => step.concerns(facts, now),
    async plan(context, latest) {
      const reading = await step.gather(context);
      const { actions = [], ...rest } = step.decide(context.facts, reading, context.deps.clock.now());
      return { ...rest, actions: actions.map((action) => () => step.apply(latest(), action)) };
    },
  };
}

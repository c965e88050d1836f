import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { SandboxState } from "../../sandbox/provider.ts";
import type { Guardrails } from "../agent-profile/decide.ts";
import type { AdmissionVerdict } from "./admission/schedule.ts";
import type { TaskIndex } from "./task-index.ts";

/** Facts about a task that need no call: all of them come from informers and memory, and nobody changes them. */
export interface TaskFacts {
  /** The task as last read or written in this reconcile. `spec.prompt` and `spec.source.text` may be missing: the cache removes them. */
  task: AgentTask;
  /** The task's integration; undefined if it does not exist. */
  integration: Integration | undefined;
  /** The integration of the code host where the change goes; the same one for requests at a code host. Undefined if it does not exist. */
  codeHostIntegration: Integration | undefined;
  /** The integration of another task of the namespace; undefined if it does not exist. */
  integrationOf: (task: AgentTask) => Integration | undefined;
  /** The task's profile; undefined if it does not exist. */
  profile: AgentProfile | undefined;
  /** The installation's limits for profiles. */
  guardrails: Guardrails;
  /** Indexes of the namespace's tasks, including this one. */
  tasks: TaskIndex;
  /** The newest attempt's sandbox; undefined before the first attempt. */
  sandbox: SandboxState | undefined;
  /** The admission loop's verdict; read only for tasks that wait for admission. */
  admission: AdmissionVerdict;
}

/** A condition as a decider returns it, with a human-readable `message`. The frame adds the time and the generation. */
export interface ConditionDraft {
  type: TaskCondition;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Status fields that the steps own; the frame owns conditions, phase and generation. A field that is present and undefined is removed. */
export type StatusFields = Partial<Omit<AgentTaskStatus, "conditions" | "phase" | "observedGeneration">>;

/** A change of the status. A field replaces the old one completely: pass all of `result`, `report`, … */
export interface StatusPatch {
  /** Conditions that are removed first. One that is also set starts again, with a new `lastTransitionTime`. */
  drop?: readonly TaskCondition[];
  conditions?: readonly ConditionDraft[];
  fields?: StatusFields;
}

/** The decision of a step: the status is written first, if it differs; then the actions run in order. */
export interface Decision<Action = never> extends StatusPatch {
  actions?: readonly Action[];
  /** Reconcile again after this time even if nothing changes. */
  requeueAfterMs?: number;
}

import type { AgentTaskStatus, TaskCondition } from "../../api/agent-task-status.ts";
import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { Integration } from "../../integrations/types.ts";
import type { SandboxState } from "../../sandbox/provider.ts";
import type { Guardrails } from "../agent-profile/decide.ts";
import type { AdmissionVerdict } from "./admission/verdict.ts";
import type { TaskIndex } from "./task-index.ts";

/** What is known of a task without asking anybody: everything here comes from informers and memory, and is never changed. */
export interface TaskFacts {
  /** The task as last read or written in this reconcile. `spec.prompt` and `spec.source.text` may be cut off by the cache. */
  task: AgentTask;
  /** The integration it came through; undefined where that is gone. */
  integration: Integration | undefined;
  /** Its profile; undefined where that is gone. */
  profile: AgentProfile | undefined;
  /** What the installation allows of profiles. */
  guardrails: Guardrails;
  /** The tasks of the namespace, this one among them, by what a step asks about. */
  tasks: TaskIndex;
  /** The newest attempt's sandbox; undefined before the first attempt. */
  sandbox: SandboxState | undefined;
  /** What the admission loop says; asked only for tasks that wait for it. */
  admission: AdmissionVerdict;
}

/** A condition as a decider gives it. The frame adds the time and the generation; `message` is for people. */
export interface ConditionDraft {
  type: TaskCondition;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Fields of the status that the steps own; conditions, phase and generation are the frame's. A field that is present and undefined is removed. */
export type StatusFields = Partial<Omit<AgentTaskStatus, "conditions" | "phase" | "observedGeneration">>;

/** A change of the status. Fields replace each other whole: give all of `result`, `report`, … */
export interface StatusPatch {
  /** Conditions that are taken away first: what they said is over. One that is set as well begins anew, with a time of its own. */
  drop?: readonly TaskCondition[];
  conditions?: readonly ConditionDraft[];
  fields?: StatusFields;
}

/** What a step wants: first the status, written where it differs, then the actions, in order; then it is looked at again. */
export interface Decision<Action = never> extends StatusPatch {
  actions?: readonly Action[];
  /** Look again after this time even if nothing changes. */
  requeueAfterMs?: number;
}

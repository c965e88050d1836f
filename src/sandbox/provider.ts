import type { AgentProfile, AgentTask } from "../api/kinds.ts";
import type { CourierOutcome } from "./protocol/outcome.ts";
import type { SandboxSpec } from "./protocol/sandbox-spec.ts";

/** All inputs of an attempt's sandbox. */
export interface SandboxRequest {
  task: AgentTask;
  profile: AgentProfile;
  attempt: number;
  /** The courier's instructions; becomes `sandbox.json`. */
  spec: SandboxSpec;
  /** Becomes `prompt.md` and `context.md`; mounted into the courier only. */
  prompt: string;
  context: string;
  /** Remaining wall clock, for `activeDeadlineSeconds`. */
  remainingMs: number;
}

/** The state of a sandbox, from the pod's status alone. */
export type SandboxState =
  | { state: "Missing" }
  /** Not all containers run yet; `message` says what it waits for, `since` when the pod was created. */
  | { state: "Pending"; podUID: string; message: string; since: string; reason?: "Unschedulable" | "ImageUnavailable" }
  | { state: "Running"; podUID: string; since: string }
  /** The courier left a valid termination message. */
  | { state: "Finished"; podUID: string; outcome: CourierOutcome }
  /** It ended otherwise. `retryable` only for `DisruptionTarget` or a lost node. */
  | { state: "Broken"; podUID: string; reason: string; message: string; retryable: boolean };

/** Where sandboxes run: `pod` on any cluster, `process` on the process node of development and tests. */
export interface SandboxProvider {
  readonly backend: "pod" | "process";
  /** The kinds of isolation that this backend lacks, shown on every task; empty for `pod`. */
  readonly notIsolated: readonly string[];
  /** The pod's name for an attempt: `<task>-sandbox-<attempt>`. */
  podName(task: { metadata: { name: string } }, attempt: number): string;
  /**
   * Creates what is missing: ConfigMap `<task>-context-<attempt>`, network policies, pod; all owned by the task. An existing pod is
   * adopted only with the right owner uid, else throws `BellhopError` code `PodNameTaken`. Quota refusals throw `QuotaExceeded` (retryable);
   * policy refusals `PodRefused` (final).
   */
  ensure(request: SandboxRequest, signal: AbortSignal): Promise<{ podUID: string }>;
  /** Reads the newest known state of an attempt's pod, from the informer. */
  observe(task: AgentTask, attempt: number): SandboxState;
  /**
   * Whether what closes the sandbox's network is still as it was made. Asks the API server itself where the cache says no; `process` closes
   * nothing, and is always as it was made.
   */
  closed(task: AgentTask, signal: AbortSignal): Promise<boolean>;
  /** Lets the pod go (removes the harvest finalizer) once its result is in the task's status. */
  harvested(task: AgentTask, attempt: number, signal: AbortSignal): Promise<void>;
  /** Deletes the pod; `graceSeconds` 5 for a stopped task. Idempotent. */
  remove(task: AgentTask, attempt: number, graceSeconds: number, signal: AbortSignal): Promise<void>;
}

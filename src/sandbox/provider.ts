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
  /** Becomes `prompt.md` and `context.md`; mounted only into Bellhop's own containers. */
  prompt: string;
  context: string;
  /** Remaining wall clock, for `activeDeadlineSeconds`. */
  remainingMs: number;
}

/** The state of a sandbox, from the pod's status alone. */
export type SandboxState =
  | { state: "Missing" }
  /** Not all containers run yet. `message` is what the pod waits for, `since` is when it was created. */
  | { state: "Pending"; podUID: string; message: string; since: string; reason?: "Unschedulable" | "ImageUnavailable" }
  | { state: "Running"; podUID: string; since: string }
  /** The courier left a valid termination message. */
  | { state: "Finished"; podUID: string; outcome: CourierOutcome }
  /** The pod ended without a valid result. `retryable` only after `DisruptionTarget` or a lost node. */
  | { state: "Broken"; podUID: string; reason: string; message: string; retryable: boolean };

/** Where sandboxes run: `pod` on any cluster, `process` on the process node of development and tests. */
export interface SandboxProvider {
  readonly backend: "pod" | "process";
  /** The kinds of isolation that this backend lacks, shown on every task; empty for `pod`. */
  readonly notIsolated: readonly string[];
  /** The pod's name for an attempt: `<task>-sandbox-<attempt>`. */
  podName(task: { metadata: { name: string } }, attempt: number): string;
  /**
   * Creates the missing objects: ConfigMap `<task>-context-<attempt>`, network policy and pod, all owned by the task. Adopts existing
   * objects only if the task owns them; otherwise throws `BellhopError` with code `PodNameTaken`. Throws `QuotaExceeded` (retryable) if a
   * quota is used up, and `PodRefused` (final) if the cluster or a foreign network policy does not permit the pod.
   */
  ensure(request: SandboxRequest, signal: AbortSignal): Promise<{ podUID: string }>;
  /** Reads the newest known state of an attempt's pod, from the informer. */
  observe(task: AgentTask, attempt: number): SandboxState;
  /**
   * Whether the NetworkPolicy that isolates the sandbox is unchanged. Asks the API server if the cache does not confirm it. Always true for
   * `process`, which has no policy.
   */
  closed(task: AgentTask, signal: AbortSignal): Promise<boolean>;
  /** Removes the finalizer that holds the pod, once the pod's result is in the task's status. */
  harvested(task: AgentTask, attempt: number, signal: AbortSignal): Promise<void>;
  /** Deletes the pod. `graceSeconds` is 5 for a task that was stopped. Idempotent. */
  remove(task: AgentTask, attempt: number, graceSeconds: number, signal: AbortSignal): Promise<void>;
}

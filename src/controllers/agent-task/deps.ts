import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { KubeClient, ObjectKey } from "../../kube/types.ts";
import type { SandboxProvider } from "../../sandbox/provider.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import type { Guardrails } from "../agent-profile/decide.ts";
import type { FindIntegration } from "../integration-handle.ts";
import type { Admission } from "./admission/loop.ts";
import type { TaskCredentials } from "./broker-secrets.ts";
import type { TaskCache } from "./task-index.ts";

/** Limits and retention times of tasks; one object of the operator's configuration. */
export interface AgentTaskConfig {
  /** Base URL (https) under which sandboxes reach the broker. */
  brokerURL: string;
  /** The broker's namespace, which holds the tokens of each task. */
  brokerNamespace: string;
  /** Maximum number of sandboxes of one task, including the first. */
  maxAttempts: number;
  /** Maximum number of tasks that run at once: in one namespace, and in the whole installation. */
  concurrency: { perNamespace: number; cluster: number };
  /** Limits for every profile; checked before each sandbox. */
  guardrails: Guardrails;
  /** The oldest task that waits longer than this reserves a place in every limit it needs, so that others cannot overtake it for ever. */
  reserveAfterMs: number;
  /** How long the courier may still publish after the task's time limit, before the pod is removed. */
  publishBudgetMs: number;
  retention: {
    /** Pods of tasks that succeeded. */
    podMs: number;
    /** Pods of tasks that did not succeed. */
    failedPodMs: number;
    /** Tasks; a task with work in a change stays until the change is closed. */
    taskMs: number;
    /** How long a task stays while the state of its change cannot be read, from the first failed read. */
    unknownChangeMs: number;
  };
  /** How long the deletion of a task waits for a provider that does not answer; then it continues with a warning. */
  finalizeMs: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Defaults; `brokerURL` and `brokerNamespace` have none. */
export const defaultConfig: Omit<AgentTaskConfig, "brokerURL" | "brokerNamespace"> = {
  maxAttempts: 3,
  concurrency: { perNamespace: 20, cluster: 50 },
  guardrails: { images: [] },
  reserveAfterMs: 10 * minuteMs,
  publishBudgetMs: 2 * minuteMs,
  retention: { podMs: 60 * minuteMs, failedPodMs: dayMs, taskMs: 7 * dayMs, unknownChangeMs: 30 * dayMs },
  finalizeMs: 10 * minuteMs,
};

/** Records Events of a task; `reason` as in conditions. */
export interface TaskEvents {
  normal(task: AgentTask, reason: string, message: string): void;
  warning(task: AgentTask, reason: string, message: string): void;
}

/** Dependencies of the agent-task controller. */
export interface AgentTaskDeps {
  kube: KubeClient;
  tasks: TaskCache;
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  findIntegration: FindIntegration;
  sandbox: SandboxProvider;
  /** Addresses that must not answer before an agent starts; read again for each attempt. */
  egress(signal: AbortSignal): Promise<Pick<SandboxSpec["egress"], "probes" | "notProbed">>;
  admission: Admission;
  credentials: TaskCredentials;
  events: TaskEvents;
  clock: Clock;
  log: Logger;
  config: AgentTaskConfig;
}

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

/** How long things are kept and how many may run; one object of the operator's configuration. */
export interface AgentTaskConfig {
  /** Base URL of the broker, https, as sandboxes reach it. */
  brokerURL: string;
  /** The namespace of the broker, where each task's token lives. */
  brokerNamespace: string;
  /** Most sandboxes of one task, the first among them. */
  maxAttempts: number;
  /** Most tasks at work at once: in one namespace, and in all. */
  concurrency: { perNamespace: number; cluster: number };
  /** What bounds every profile; held against it before each sandbox. */
  guardrails: Guardrails;
  /** Tasks that wait longer than this hold a place in every limit they need, so that nobody overtakes them for ever. */
  reserveAfterMs: number;
  /** How long after the wall clock the courier may still publish before the pod is removed. */
  publishBudgetMs: number;
  retention: {
    /** Pods of tasks that succeeded. */
    podMs: number;
    /** Pods of tasks that did not. */
    failedPodMs: number;
    /** Tasks; those with work in a change stay until it is closed. */
    taskMs: number;
    /** How long a task stays for a change that the host cannot be asked about, from the first time it could not. */
    unknownChangeMs: number;
  };
  /** How long deletion waits for a provider that does not answer before it goes on with a warning. */
  finalizeMs: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** What holds where the installation says nothing else; `brokerURL` and `brokerNamespace` have no default. */
export const defaultConfig: Omit<AgentTaskConfig, "brokerURL" | "brokerNamespace"> = {
  maxAttempts: 3,
  concurrency: { perNamespace: 20, cluster: 50 },
  guardrails: { images: [] },
  reserveAfterMs: 10 * minuteMs,
  publishBudgetMs: 2 * minuteMs,
  retention: { podMs: 60 * minuteMs, failedPodMs: dayMs, taskMs: 7 * dayMs, unknownChangeMs: 30 * dayMs },
  finalizeMs: 10 * minuteMs,
};

/** Tells people through Events of the task; `reason` as in conditions. */
export interface TaskEvents {
  normal(task: AgentTask, reason: string, message: string): void;
  warning(task: AgentTask, reason: string, message: string): void;
}

/** What the agent-task controller needs. */
export interface AgentTaskDeps {
  kube: KubeClient;
  tasks: TaskCache;
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  findIntegration: FindIntegration;
  sandbox: SandboxProvider;
  /** What must not answer before an agent starts; asked anew for each attempt. */
  egress(signal: AbortSignal): Promise<Pick<SandboxSpec["egress"], "probes" | "notProbed">>;
  admission: Admission;
  credentials: TaskCredentials;
  events: TaskEvents;
  clock: Clock;
  log: Logger;
  config: AgentTaskConfig;
}

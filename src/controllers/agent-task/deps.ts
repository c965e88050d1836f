import type { AgentProfile, AgentTask } from "../../api/kinds.ts";
import type { KubeClient, ObjectKey } from "../../kube/types.ts";
import type { SandboxProvider } from "../../sandbox/provider.ts";
import type { SandboxSpec } from "../../sandbox/protocol/sandbox-spec.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import type { FindIntegration } from "../integration-handle.ts";
import type { Admission } from "./admission/loop.ts";
import type { TaskCredentials } from "./broker-secrets.ts";
import type { AgentTaskConfig } from "./config.ts";
import type { TaskCache } from "./task-index.ts";

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

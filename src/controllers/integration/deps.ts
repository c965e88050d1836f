import type { AgentProfile } from "../../api/kinds.ts";
import type { RefusedRule } from "../../intake/cel.ts";
import type { KubeObject, KubeClient, ObjectKey, ResourceType } from "../../kube/types.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { Integration } from "../../integrations/types.ts";
import type { TaskCache } from "../agent-task/task-index.ts";
import type { SignInDeps, IntegrationSource } from "../integration-handle.ts";
import type { GatewayKeys } from "./gateway-keys.ts";
import type { Gateways } from "./gateways.ts";

/** How integrations are kept; one object of the operator's configuration. */
export interface IntegrationConfig {
  /** Where providers reach the gateway, https, without a trailing slash; undefined until the installation says so. */
  externalURL: string | undefined;
  /** Where hook secrets, gateway keys and facts live. */
  namespace: string;
  /** How often hooks and credentials are looked at although nothing changed. */
  resyncMs: number;
  /** How long the previous key stays valid: the longest window in which a provider retries. */
  retryWindowMs: number;
  /** How long the finalizer waits for a provider. */
  finalizeMs: number;
  /** How often the provider's delivery log is searched for what was missed; and how far back at most. */
  recoveryMs: number;
  recoveryWindowMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What holds where the installation says nothing else. */
export const defaultIntegrationConfig = {
  resyncMs: 10 * minuteMs,
  retryWindowMs: 24 * hourMs,
  finalizeMs: 10 * minuteMs,
  recoveryMs: 5 * minuteMs,
  recoveryWindowMs: 24 * hourMs,
};

/** What the controller of one integration kind needs. */
export interface IntegrationDeps extends SignInDeps {
  client: KubeClient;
  /** The kind that is reconciled, and every kind: the gateways' keys are derived from all. */
  source: IntegrationSource;
  type: ResourceType<Integration & KubeObject>;
  sources: readonly IntegrationSource[];
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  tasks: Pick<TaskCache, "ofIntegration">;
  keys: GatewayKeys;
  gateways: Gateways;
  /** Whether a rule compiles within its bounds; the message says why not. */
  compileRule(expression: string): { ok: true } | RefusedRule;
  events: EventRecorder;
  config: IntegrationConfig;
}

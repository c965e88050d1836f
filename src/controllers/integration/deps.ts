import type { AgentProfile } from "../../api/kinds.ts";
import type { RefusedRule } from "../../intake/cel.ts";
import type { KubeObject, KubeClient, ObjectKey, ResourceType } from "../../kube/types.ts";
import type { Lease } from "../../kube/resources.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { TaskCache } from "../agent-task/task-index.ts";
import type { SignInDeps, IntegrationSource } from "../integration-handle.ts";
import type { GatewayKeyPublisher } from "./gateway-keys.ts";
import type { Gateways } from "./gateways.ts";
import type { PublicNames } from "./offered-repositories.ts";
import type { Outages } from "./outages.ts";

/** Settings of the integration controllers, part of the operator's configuration. */
export interface IntegrationConfig {
  /** The gateway's public https URL, without a trailing slash; undefined while the installation does not set it. */
  externalURL: string | undefined;
  /** The public URL of the install pages, without a trailing slash; undefined while the installation does not serve them. */
  installBaseURL?: string | undefined;
  /** Namespace of the hook Secrets, the gateway keys and the gateway facts. */
  namespace: string;
  /** How often hooks and credentials are checked if nothing changed. */
  resyncMs: number;
  /** How long the previous key stays valid: the longest window in which a provider retries. */
  retryWindowMs: number;
  /** How long the finalizer retries a failing provider before it gives up. */
  finalizeMs: number;
  /** How often the provider's delivery log is searched for missed deliveries without an outage of ours, and how far back at most. */
  recoveryMs: number;
  recoveryWindowMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Defaults for settings that the installation does not set. */
export const defaultIntegrationConfig = {
  resyncMs: 10 * minuteMs,
  retryWindowMs: 24 * hourMs,
  finalizeMs: 10 * minuteMs,
  recoveryMs: 5 * minuteMs,
  recoveryWindowMs: 24 * hourMs,
};

/** Dependencies of the controller of one integration kind. */
export interface IntegrationDeps extends SignInDeps {
  client: KubeClient;
  /** `source` and `type`: the kind that is reconciled. `sources`: all kinds, because the gateways' keys are derived from all of them. */
  source: IntegrationSource;
  type: ResourceType<Integration & KubeObject>;
  sources: readonly IntegrationSource[];
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  tasks: Pick<TaskCache, "ofIntegration">;
  keys: GatewayKeyPublisher;
  gateways: Gateways;
  /** The Lease of the gateway that holds the connections, as the cache has it. */
  socketLease(): Lease | undefined;
  publicNames: PublicNames;
  outages: Outages;
  /** Checks that a CEL rule compiles within its limits; the message of a refusal gives the reason. */
  compileRule(expression: string): { ok: true } | RefusedRule;
  events: EventRecorder;
  config: IntegrationConfig;
}

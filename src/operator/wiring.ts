import type { Guardrails } from "../controllers/agent-profile/decide.ts";
import type { SignInDeps } from "../controllers/integration-handle.ts";
import { gatewaysOfService, type Gateways } from "../controllers/integration/gateways.ts";
import type { Outages } from "../controllers/integration/outages.ts";
import { createController, type Controller, type ControllerOptions } from "../kube/controller.ts";
import type { EventRecorder } from "../kube/events.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import type { KubeConnection, Reconciler } from "../kube/types.ts";
import { defined } from "../shared/defined.ts";
import type { OperatorConfig } from "./config.ts";
import type { Informers } from "./informers.ts";

/** Dependencies of the controllers. */
export interface Wiring extends SignInDeps {
  client: KubeConnection;
  config: OperatorConfig;
  informers: Informers;
  events: EventRecorder;
  outages: Outages;
  metrics: KubeMetrics;
}

/** How often leftovers are looked for. */
export const sweepEveryMs = 10 * 60_000;
export const dayMs = 86_400_000;
/**
 * Short, because the lease is released after the last reconcile, and the next operator, which checks every 2 s, must lead within 3 s. Longer
 * reconciles are aborted; every step may be killed and run again.
 */
const graceMs = 300;

/** Creates a controller with the operator's clock, log and metrics. */
export function controller(
  { clock, log, metrics }: Wiring,
  name: string,
  reconciler: Reconciler,
  options: Pick<ControllerOptions, "workers" | "groupOf"> = {},
): Controller {
  return createController({ name, reconciler, graceMs, clock, log, metrics, ...options });
}

/** The limits that the installation sets for every profile. */
export function guardrailsOf(config: OperatorConfig): Guardrails {
  return {
    images: config.BELLHOP_GUARDRAIL_IMAGES,
    ...defined({
      maxCPU: config.BELLHOP_GUARDRAIL_MAX_CPU,
      maxMemory: config.BELLHOP_GUARDRAIL_MAX_MEMORY,
      maxStorage: config.BELLHOP_GUARDRAIL_MAX_STORAGE,
    }),
  };
}

/** The gateways behind the chart's Service. */
export function serviceGateways({ client, config }: Wiring): Gateways {
  return gatewaysOfService({
    client,
    namespace: config.BELLHOP_NAMESPACE,
    serviceName: config.BELLHOP_GATEWAY_SERVICE,
    probePort: config.BELLHOP_GATEWAY_PROBE_PORT,
  });
}

import { z } from "zod";
import { httpSettings } from "../integrations/http/settings.ts";
import { port } from "../shared/environment.ts";

/** The broker's settings, all from the environment; the chart sets them. */
export const brokerConfig = z.object({
  /** Port for couriers and agents, TLS. */
  BELLHOP_PORT: port.default(8443),
  /** Port of `/healthz`, `/readyz` and `/metrics`. */
  BELLHOP_PROBE_PORT: port.default(8081),
  BELLHOP_HOST: z.string().optional(),
  /** Namespace of the broker. It holds the TLS and signing keys and the short-lived tokens of each task. */
  BELLHOP_NAMESPACE: z.string().min(1),
  ...httpSettings,
  BELLHOP_MAX_PUSH_MIB: z.coerce.number().int().min(1).default(256),
  /** `process` if all sandboxes share one address, as in development and tests. */
  BELLHOP_ISOLATION: z.enum(["pod", "process"]).default("pod"),
});
export type BrokerConfig = z.infer<typeof brokerConfig>;

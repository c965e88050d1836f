import { z } from "zod";
import { list, port } from "../shared/environment.ts";

/** The broker's settings, all from the environment; the chart sets them. */
export const brokerConfig = z.object({
  /** Port for couriers and agents, TLS. */
  BELLHOP_PORT: port.default(8443),
  /** Port of `/healthz`, `/readyz` and `/metrics`. */
  BELLHOP_PROBE_PORT: port.default(8081),
  BELLHOP_HOST: z.string().optional(),
  /** Namespace of the broker. It holds the TLS and signing keys and the short-lived tokens of each task. */
  BELLHOP_NAMESPACE: z.string().min(1),
  /** Code hosts that may have private addresses, comma-separated. */
  BELLHOP_ALLOWED_HOSTS: list.default([]),
  /** The cluster's own address ranges (CIDR), comma-separated. The broker never forwards to them. */
  BELLHOP_REFUSED_RANGES: list.default([]),
  /** A PEM file with additional certificate authorities for code hosts. */
  BELLHOP_CA_FILE: z.string().optional(),
  BELLHOP_MAX_PUSH_MIB: z.coerce.number().int().min(1).default(256),
  /** `process` if all sandboxes share one address, as in development and tests. */
  BELLHOP_ISOLATION: z.enum(["pod", "process"]).default("pod"),
  HTTPS_PROXY: z.string().optional(),
  HTTP_PROXY: z.string().optional(),
  NO_PROXY: z.string().optional(),
});
export type BrokerConfig = z.infer<typeof brokerConfig>;

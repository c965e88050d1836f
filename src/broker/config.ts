import { z } from "zod";
import { list, port } from "../shared/environment.ts";

/** The broker's settings, all from the environment; the chart sets them. */
export const brokerConfig = z.object({
  /** Where couriers come in, TLS. */
  BELLHOP_PORT: port.default(8443),
  /** `/healthz`, `/readyz`, `/metrics`. */
  BELLHOP_PROBE_PORT: port.default(8081),
  BELLHOP_HOST: z.string().optional(),
  /** Our own namespace: TLS and signing keys and each task's short-lived token are there. */
  BELLHOP_NAMESPACE: z.string().min(1),
  /** Code hosts that may have private addresses, comma-separated. */
  BELLHOP_ALLOWED_HOSTS: list.default([]),
  /** The cluster's own ranges (CIDR), never forwarded to, comma-separated. */
  BELLHOP_REFUSED_RANGES: list.default([]),
  /** A PEM file with further certificate authorities for code hosts. */
  BELLHOP_CA_FILE: z.string().optional(),
  BELLHOP_MAX_PUSH_MIB: z.coerce.number().int().min(1).default(256),
  /** `process` where all sandboxes share one address: development and tests. */
  BELLHOP_ISOLATION: z.enum(["pod", "process"]).default("pod"),
  HTTPS_PROXY: z.string().optional(),
  HTTP_PROXY: z.string().optional(),
  NO_PROXY: z.string().optional(),
});
export type BrokerConfig = z.infer<typeof brokerConfig>;

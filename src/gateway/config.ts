import { z } from "zod";
import { httpSettings } from "../integrations/http/settings.ts";
import { list, port } from "../shared/environment.ts";
import { gatewayFactsConfigMapName } from "../intake/gateway-facts.ts";
import { gatewayKeysSecretName } from "../intake/gateway-keys.ts";

const MiB = 1024 * 1024;
const count = z.coerce.number().int().min(1);

/** The gateway's settings, all from the environment; the chart sets them. Times are in milliseconds. */
export const gatewayConfig = z.object({
  /** Port for deliveries: plain HTTP behind the ingress. */
  BELLHOP_PORT: port.default(8080),
  /** Port of `/healthz`, `/readyz` and `/metrics`. */
  BELLHOP_PROBE_PORT: port.default(8081),
  BELLHOP_HOST: z.string().optional(),
  POD_NAME: z.string().default("gateway"),
  /** Namespace of the installation; the operator publishes keys and facts there. */
  BELLHOP_NAMESPACE: z.string().min(1),
  /** Namespaces whose integrations the gateway serves, comma-separated; empty for all namespaces. */
  BELLHOP_WATCH_NAMESPACES: list.default([]),
  BELLHOP_GATEWAY_KEYS_SECRET: z.string().min(1).default(gatewayKeysSecretName),
  BELLHOP_GATEWAY_FACTS_CONFIGMAP: z.string().min(1).default(gatewayFactsConfigMapName),
  /** Maximum number of deliveries at the same time, for one hook and in total. Further deliveries are answered with 429. */
  BELLHOP_MAX_REQUESTS_PER_HOOK: count.default(64),
  BELLHOP_MAX_REQUESTS: count.default(256),
  /** Maximum size of the bodies held in memory at the same time, in bytes, for one hook and in total. */
  BELLHOP_MAX_BYTES_PER_HOOK: count.default(64 * MiB),
  BELLHOP_MAX_BYTES: count.default(192 * MiB),
  /** Time-outs for a sender: for its headers, and for its whole request. */
  BELLHOP_HEADERS_TIMEOUT_MS: count.default(10_000),
  BELLHOP_REQUEST_TIMEOUT_MS: count.default(30_000),
  /** Time-out of a call to the API server; GitHub waits 10 s for our answer. */
  BELLHOP_STORE_TIMEOUT_MS: count.default(7_000),
  /** How long the gateway still accepts deliveries after the shutdown has begun. */
  BELLHOP_DRAIN_MS: z.coerce.number().int().min(0).default(10_000),
  ...httpSettings,
});
export type GatewayConfig = z.infer<typeof gatewayConfig>;

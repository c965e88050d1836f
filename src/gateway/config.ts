import { z } from "zod";
import { list, port } from "../shared/environment.ts";
import { gatewayFactsConfigMapName } from "../intake/gateway-facts.ts";
import { gatewayKeysSecretName } from "../intake/gateway-keys.ts";

const MiB = 1024 * 1024;
const count = z.coerce.number().int().min(1);

/** The gateway's settings, all from the environment; the chart sets them. Times are in milliseconds. */
export const gatewayConfig = z.object({
  /** Where deliveries come in, plain HTTP behind the ingress. */
  BELLHOP_PORT: port.default(8080),
  /** `/healthz`, `/readyz`, `/metrics`. */
  BELLHOP_PROBE_PORT: port.default(8081),
  BELLHOP_HOST: z.string().optional(),
  /** Our own namespace: the keys and facts that the operator publishes are there. */
  BELLHOP_NAMESPACE: z.string().min(1),
  /** Namespaces whose integrations are served, comma-separated; empty for all. */
  BELLHOP_WATCH_NAMESPACES: list.default([]),
  BELLHOP_GATEWAY_KEYS_SECRET: z.string().min(1).default(gatewayKeysSecretName),
  BELLHOP_GATEWAY_FACTS_CONFIGMAP: z.string().min(1).default(gatewayFactsConfigMapName),
  /** Deliveries at once, of one hook and in total; more are answered 429. */
  BELLHOP_MAX_REQUESTS_PER_HOOK: count.default(64),
  BELLHOP_MAX_REQUESTS: count.default(256),
  /** Bytes of bodies held at once, of one hook and in total. */
  BELLHOP_MAX_BYTES_PER_HOOK: count.default(64 * MiB),
  BELLHOP_MAX_BYTES: count.default(192 * MiB),
  /** How long a sender may take for its headers, and for all of its request. */
  BELLHOP_HEADERS_TIMEOUT_MS: count.default(10_000),
  BELLHOP_REQUEST_TIMEOUT_MS: count.default(30_000),
  /** How long we wait for the API server; GitHub waits 10 s for us. */
  BELLHOP_STORE_TIMEOUT_MS: count.default(7_000),
  /** How long deliveries are still taken after we were told to stop. */
  BELLHOP_DRAIN_MS: z.coerce.number().int().min(0).default(10_000),
});
export type GatewayConfig = z.infer<typeof gatewayConfig>;

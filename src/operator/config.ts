import { z } from "zod";
import { httpSettings } from "../integrations/http/settings.ts";
import { list, port, readSettings, text } from "../shared/environment.ts";
import { BellhopError } from "../shared/errors.ts";

/** The operator's settings, all from environment variables that the chart sets. */
export const settings = z.object({
  /** The operator's own namespace: holds the Lease, hook secrets, the gateways' keys and facts, and the CA. */
  BELLHOP_NAMESPACE: z.string().min(1),
  /** `/healthz`, `/readyz`, `/metrics`. */
  BELLHOP_PROBE_PORT: port.default(8081),
  BELLHOP_HOST: text,
  POD_NAME: z.string().default("operator"),

  /** The gateway's public URL: https, no path; integrations are `Stalled` without it. */
  BELLHOP_EXTERNAL_URL: text,
  /** Port of the install pages, which every replica serves; no pages without it. */
  BELLHOP_INSTALL_PORT: port.optional(),
  /** Public URL of the install pages: https, no path. Default: the gateway's. */
  BELLHOP_INSTALL_URL: text,
  /**
   * The gateways' Service and probe port. A new webhook key is installed at the provider when every replica has loaded it. The egress probe
   * checks that sandboxes cannot reach a replica that has just answered the operator.
   */
  BELLHOP_GATEWAY_SERVICE: z.string().default("bellhop-gateway"),
  BELLHOP_GATEWAY_PROBE_PORT: port.default(8081),
  /** `host:port` of each gateway's probes, instead of the Service; for development and tests. */
  BELLHOP_GATEWAY_ADDRESSES: list.default([]),

  BELLHOP_BROKER_NAMESPACE: z.string().min(1),
  BELLHOP_BROKER_SERVICE: z.string().default("bellhop-broker"),
  BELLHOP_BROKER_PORT: port.default(8443),
  /** Labels of the broker's pods, `key=value,…`, for the sandboxes' network policy. */
  BELLHOP_BROKER_LABELS: list.default(["app.kubernetes.io/component=broker"]),
  /** The broker's URL, instead of its Service; for development and tests. */
  BELLHOP_BROKER_URL: text,

  BELLHOP_SANDBOX_BACKEND: z.enum(["pod", "process"]).default("pod"),
  /** Must be `true` for the process backend, which isolates nothing. */
  BELLHOP_ALLOW_NOT_ISOLATED: z.enum(["true", "false"]).default("false"),
  BELLHOP_SANDBOX_SERVICE_ACCOUNT: z.string().default("default"),
  /** Bellhop's own image, for couriers. */
  BELLHOP_IMAGE: z.string().min(1),
  BELLHOP_IMAGE_PULL_POLICY: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
  BELLHOP_IMAGE_PULL_SECRETS: list.default([]),

  ...httpSettings,

  BELLHOP_GUARDRAIL_IMAGES: list.default([]),
  BELLHOP_GUARDRAIL_MAX_CPU: text,
  BELLHOP_GUARDRAIL_MAX_MEMORY: text,
  /** Maximum disk space that one sandbox may use on its node. */
  BELLHOP_GUARDRAIL_MAX_STORAGE: text,
  BELLHOP_MAX_TASKS_CLUSTER: z.coerce.number().int().min(1).default(50),
  BELLHOP_MAX_TASKS_NAMESPACE: z.coerce.number().int().min(1).default(20),
  /** Days that finished tasks are kept; at least 7, because they prevent a second task for a repeated delivery. */
  BELLHOP_TASK_RETENTION_DAYS: z.coerce.number().int().min(7).default(7),
  /** Number of tasks that are reconciled at the same time. */
  BELLHOP_WORKERS: z.coerce.number().int().min(1).max(64).default(8),
});
export type OperatorConfig = z.infer<typeof settings>;

/** The public URL of the install pages, without a trailing slash; undefined if they are not served. */
export function installBaseURL(config: OperatorConfig): string | undefined {
  if (config.BELLHOP_INSTALL_PORT === undefined) return undefined;
  return (config.BELLHOP_INSTALL_URL ?? config.BELLHOP_EXTERNAL_URL)?.replace(/\/+$/, "");
}

/** Reads the settings; throws a `BellhopError` that names each invalid variable. */
export function readConfig(environment: Record<string, string | undefined>): OperatorConfig {
  const config = readSettings(settings, environment);
  if (config.BELLHOP_SANDBOX_BACKEND === "process" && config.BELLHOP_ALLOW_NOT_ISOLATED !== "true") {
    throw new BellhopError(
      "NotIsolated",
      "BELLHOP_SANDBOX_BACKEND=process isolates neither users nor network and is only for development and tests; to use it there, set BELLHOP_ALLOW_NOT_ISOLATED=true",
    );
  }
  return config;
}

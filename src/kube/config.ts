import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { BellhopError } from "../shared/errors.ts";
import { type Clock, systemClock } from "../shared/clock.ts";
import { createKubeClient } from "./client.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { KubeConfig, KubeConnection, KubeTls } from "./types.ts";
import { defined } from "../shared/defined.ts";

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Kubelets renew bound tokens long before they expire, so reading the file once a minute is enough. */
const tokenMaxAgeMs = 60_000;

/** How to find the API server. All fields have defaults. */
export interface ConnectOptions {
  /** A kubeconfig file; wins over everything else. */
  kubeconfig?: string;
  /** A context of the kubeconfig; by default its current one. */
  context?: string;
  env?: Record<string, string | undefined>;
  /** Directory with the pod's token, CA and namespace. */
  serviceAccountDir?: string;
  clock?: Clock;
  metrics?: KubeMetrics;
}

/** Loads the configuration and creates a client for it; opens no connection yet. Throws `BellhopError` if no configuration is found. */
export async function connect(options: ConnectOptions = {}): Promise<{ client: KubeConnection; config: KubeConfig }> {
  const config = await loadKubeConfig(options);
  return {
    config,
    client: createKubeClient(config, defined({ metrics: options.metrics })),
  };
}

/**
 * Loads the configuration, in the order of kubectl and controller-runtime: the given file, `KUBECONFIG`, the pod's service account,
 * `~/.kube/config`.
 */
export async function loadKubeConfig(options: ConnectOptions = {}): Promise<KubeConfig> {
  const env = options.env ?? process.env;
  const named = options.kubeconfig ?? env["KUBECONFIG"];
  if (named) return fromKubeconfig(named.split(delimiter).filter(Boolean), options.context);
  if (env["KUBERNETES_SERVICE_HOST"]) return inCluster(env, options);
  const home = join(env["HOME"] ?? homedir(), ".kube", "config");
  if (existsSync(home)) return fromKubeconfig([home], options.context);
  throw new BellhopError(
    "NoKubeconfig",
    "Found no cluster configuration: this process is not in a pod, KUBECONFIG is not set, and ~/.kube/config does not exist. Set KUBECONFIG.",
  );
}

async function inCluster(env: Record<string, string | undefined>, options: ConnectOptions): Promise<KubeConfig> {
  const dir = options.serviceAccountDir ?? serviceAccountDir;
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "443";
  const [ca, namespace] = await Promise.all([readMounted(join(dir, "ca.crt")), readMounted(join(dir, "namespace"))]);
  const token = cachedFile(join(dir, "token"), options.clock ?? systemClock);
  await token();
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    tls: { ca },
    namespace: namespace.trim() || "default",
    authorization: async () => `Bearer ${(await token()).trim()}`,
  };
}

/** Reads a file that others renew, at most once a minute; returns the old content while it cannot be read. */
function cachedFile(path: string, clock: Clock): () => Promise<string> {
  let held: { text: string; readAtMs: number } | undefined;
  return async () => {
    const nowMs = clock.now().getTime();
    if (held && nowMs - held.readAtMs < tokenMaxAgeMs) return held.text;
    try {
      held = { text: await readMounted(path), readAtMs: nowMs };
    } catch (error) {
      if (!held) throw error;
    }
    return held.text;
  };
}

async function readMounted(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new BellhopError(
      "ServiceAccountNotMounted",
      `Could not read ${path}. Check that the pod mounts its service account token.`,
      { cause: error },
    );
  }
}

/** Loads the package only when needed: it is heavy (0.7 s, 90 MB), and only parses files and runs credential plugins here. */
async function fromKubeconfig(paths: string[], context: string | undefined): Promise<KubeConfig> {
  const { KubeConfig: Parser } = await import("@kubernetes/client-node");
  const parser = new Parser();
  const [first = "", ...others] = paths;
  try {
    parser.loadFromFile(first);
    for (const path of others) {
      const other = new Parser();
      other.loadFromFile(path);
      parser.mergeConfig(other, true);
    }
  } catch (error) {
    throw new BellhopError("BadKubeconfig", `Could not read the kubeconfig ${paths.join(delimiter)}`, { cause: error });
  }
  if (context !== undefined) parser.setCurrentContext(context);
  const cluster = parser.getCurrentCluster();
  if (!cluster) {
    throw new BellhopError(
      "BadKubeconfig",
      `The kubeconfig ${paths.join(delimiter)} has no cluster for the context "${parser.getCurrentContext()}"`,
    );
  }
  const material = await securityOf(parser);
  return {
    server: cluster.server,
    tls: material.tls,
    namespace: parser.getContextObject(parser.getCurrentContext())?.namespace ?? "default",
    authorization: async () => (await securityOf(parser)).authorization,
  };
}

/** The options that client-node derives from the current user: from files, inline data, exec plugins or OIDC. */
interface HttpsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers?: Record<string, string>;
  auth?: string;
}

async function securityOf(parser: {
  applyToHTTPSOptions(options: object): Promise<void>;
}): Promise<{ tls: KubeTls; authorization: string | undefined }> {
  const options: HttpsOptions = {};
  await parser.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    tls: {
      ...(ca === undefined ? {} : { ca: String(ca) }),
      ...(cert === undefined ? {} : { cert: String(cert) }),
      ...(key === undefined ? {} : { key: String(key) }),
      ...defined({ servername }),
      ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
    },
    authorization: options.headers?.["Authorization"] ?? basic(options.auth),
  };
}

function basic(auth: string | undefined): string | undefined {
  return auth === undefined ? undefined : `Basic ${Buffer.from(auth).toString("base64")}`;
}

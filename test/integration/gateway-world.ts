import { Registry } from "prom-client";
import { request } from "undici";
import { GitHubIntegrationKind, type GitHubIntegration } from "../../src/api/github-integration.ts";
import { AgentTaskKind } from "../../src/api/kinds.ts";
import { gatewayConfig } from "../../src/gateway/config.ts";
import { startGateway } from "../../src/gateway/main.ts";
import { encodeGatewayKeys } from "../../src/intake/gateway-keys.ts";
import { anEntry, anIntegration, signedHeaders } from "../../src/intake/testing.ts";
import { connect } from "../../src/kube/config.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { secrets } from "../../src/kube/resources.ts";
import type { KubeClient } from "../../src/kube/types.ts";
import { silentLogger } from "../../src/shared/log.ts";
import { createShutdown } from "../../src/shared/shutdown.ts";
import { aNamespace } from "../cluster/namespace.ts";

/** A gateway of this process on loopback. */
export interface RunningGateway {
  url: string;
  probes: string;
  stop(): Promise<void>;
}

/** A namespace with one integration, the published keys of its hook, and the stored tasks. */
export interface PublishedIntegration {
  namespace: string;
  /** The hook's id. */
  route: string;
  integration: GitHubIntegration;
  env: Record<string, string>;
  tasks(): Promise<string[]>;
}

let routes = 0;

/** Creates a namespace for both the gateway and the integration. */
export async function aPublishedIntegration(client: KubeClient): Promise<PublishedIntegration> {
  const namespace = await aNamespace(client, "gateway");
  const route = `hook-of-${String(++routes).padStart(8, "0")}`;
  const { spec } = anIntegration();
  const created = await client.create(GitHubIntegrationKind, { metadata: { name: "shop", namespace }, spec });
  const integration = await client.replaceStatus(GitHubIntegrationKind, {
    ...created,
    status: anIntegration().status ?? {},
  });
  const uid = integration.metadata.uid ?? "";
  const entry = anEntry({ route, members: [{ kind: "GitHubIntegration", namespace, name: "shop", uid }] });
  const data = encodeGatewayKeys({ generation: 1, routes: new Map([[route, entry]]) });
  await client.create(secrets, { metadata: { name: "bellhop-gateway-keys", namespace }, data });
  return {
    namespace,
    route,
    integration,
    env: gatewayEnv(namespace),
    tasks: async () => (await client.list(AgentTaskKind, { namespace })).items.map(({ metadata }) => metadata.name),
  };
}

/** Settings of a gateway for the published integration: loopback, free ports, no wait at the end. */
export function gatewayEnv(namespace: string): Record<string, string> {
  return {
    BELLHOP_NAMESPACE: namespace,
    BELLHOP_WATCH_NAMESPACES: namespace,
    BELLHOP_HOST: "127.0.0.1",
    BELLHOP_PORT: "0",
    BELLHOP_PROBE_PORT: "0",
    BELLHOP_DRAIN_MS: "0",
  };
}

/** Starts a gateway in this process, with a separate client. */
export async function aGateway(env: Record<string, string>, kubeconfig: string): Promise<RunningGateway> {
  const registry = new Registry();
  const kubeMetrics = createKubeMetrics(registry);
  const { client } = await connect({ kubeconfig, metrics: kubeMetrics });
  const shutdown = createShutdown(silentLogger);
  shutdown.onStop("client", () => client.close());
  const { port, probePort } = await startGateway(gatewayConfig.parse(env), {
    client,
    registry,
    kubeMetrics,
    log: silentLogger,
    shutdown,
  });
  return {
    url: `http://127.0.0.1:${port}`,
    probes: `http://127.0.0.1:${probePort}`,
    stop: () => shutdown.stop("the test is over"),
  };
}

/** Sends a signed delivery, as GitHub would. */
export async function deliver(
  gateway: Pick<RunningGateway, "url">,
  route: string,
  body: object | string,
  over: Parameters<typeof signedHeaders>[1] & { headers?: Record<string, string> } = {},
): Promise<{
  status: number;
  headers: Record<string, unknown>;
  body: { status?: string; reason?: string; task?: { name: string } };
}> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await request(`${gateway.url}/hooks/${route}`, {
    method: "POST",
    body: text,
    headers: over.headers ?? signedHeaders(text, over),
  });
  return { status: answer.statusCode, headers: answer.headers, body: (await answer.body.json()) as never };
}

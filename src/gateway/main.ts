import { collectDefaultMetrics, Registry } from "prom-client";
import { factsReader } from "../intake/gateway-facts.ts";
import { createRules } from "../intake/cel.ts";
import { providerNamed, providers } from "../integrations/registry.ts";
import { connect } from "../kube/config.ts";
import { createInformer } from "../kube/informer.ts";
import { createKubeMetrics, type KubeMetrics } from "../kube/metrics.ts";
import { createProbeServer } from "../kube/probes.ts";
import { configMaps, secrets } from "../kube/resources.ts";
import type { KubeConnection, ResourceType } from "../kube/types.ts";
import { systemClock } from "../shared/clock.ts";
import { readSettings } from "../shared/environment.ts";
import type { Logger } from "../shared/log.ts";
import { runProcess } from "../shared/process.ts";
import type { Shutdown } from "../shared/shutdown.ts";
import { createApp } from "./app.ts";
import { gatewayConfig, type GatewayConfig } from "./config.ts";
import { followSockets } from "./follow-sockets.ts";
import type { HookDeps } from "./hooks.ts";
import { InFlight } from "../shared/in-flight.ts";
import { createIntegrations } from "./integrations.ts";
import { KeyRing, type KeysSecret } from "./keys.ts";
import { createGatewayMetrics } from "./metrics.ts";
import { createHookServer } from "./server.ts";
import { defined } from "../shared/defined.ts";

/** The parts of the process that the gateway uses; tests pass their own. */
export interface GatewayParts {
  client: KubeConnection;
  registry: Registry;
  /** The metrics of the Kubernetes client. */
  kubeMetrics: KubeMetrics;
  log: Logger;
  shutdown: Shutdown;
}

/** Starts a gateway; resolves when it listens. `/readyz` answers 200 after keys, facts and integrations are loaded. */
export async function startGateway(
  config: GatewayConfig,
  { client, registry, kubeMetrics, log, shutdown }: GatewayParts,
): Promise<{ port: number; probePort: number; generation: () => number }> {
  const clock = systemClock;
  const metrics = createGatewayMetrics(registry);
  const informing = { client, clock, log, metrics: kubeMetrics };

  const keysSecret = { namespace: config.BELLHOP_NAMESPACE, name: config.BELLHOP_GATEWAY_KEYS_SECRET };
  const keys = createInformer(informing, secrets as ResourceType<KeysSecret>, only(keysSecret));
  const factsMap = { namespace: config.BELLHOP_NAMESPACE, name: config.BELLHOP_GATEWAY_FACTS_CONFIGMAP };
  const facts = createInformer(informing, configMaps, only(factsMap));
  const integrations = createIntegrations(informing, Object.values(providers), config.BELLHOP_WATCH_NAMESPACES);
  const informers = [keys, facts, ...integrations.informers];

  const loaded = (generation: number): void => {
    metrics.keysGeneration.set(generation);
    sockets.update();
  };
  const keyRing = new KeyRing({ client, informer: keys, secret: keysSecret, clock, log, loaded });
  const hooks: HookDeps & { keyRing: KeyRing } = {
    keyRing,
    inFlight: inFlight(config, metrics),
    storeTimeoutMs: config.BELLHOP_STORE_TIMEOUT_MS,
    intake: {
      provider: providerNamed,
      integration: (member) => integrations.find(member),
      facts: factsReader((uid) => facts.store.get(factsMap)?.data?.[uid]),
      compile: createRules(),
      client,
      clock,
    },
  };
  const sockets = followSockets({ ...hooks, config, metrics, log, clock, lease: { client, metrics: kubeMetrics } });
  const server = createHookServer(config, ({ draining }) => createApp({ ...hooks, metrics, log, draining }), clock);
  const synced = (): boolean => informers.every((informer) => informer.hasSynced);
  const probes = createProbeServer({
    port: config.BELLHOP_PROBE_PORT,
    ...defined({ host: config.BELLHOP_HOST }),
    registry,
    ready: () => readiness(synced() && server.listening, server.draining, keyRing.generation),
  });

  const informersEnd = new AbortController();
  shutdown.onStop("probes", () => probes.close());
  shutdown.onStop("informers", () => informersEnd.abort(new Error("stopped")));
  const { port: probePort } = await probes.listen();
  for (const informer of informers) informer.start(informersEnd.signal);
  await Promise.all(informers.map((informer) => informer.waitForSync(shutdown.signal)));
  const { port } = await server.listen();
  shutdown.onStop("deliveries", () => server.drain());
  log.info({ port, probePort, generation: keyRing.generation }, "listening for deliveries");
  shutdown.onStop("connections", () => sockets.stop());
  sockets.start();
  return { port, probePort, generation: () => keyRing.generation };
}

/** Readiness depends on the loaded data and not on the API server: without the API server the gateway still answers 503 with Retry-After, and a load balancer would not. */
function readiness(synced: boolean, draining: boolean, generation: number) {
  const reasons = [
    ...(synced ? [] : ["waiting for the first list of keys, facts and integrations"]),
    ...(draining ? ["stopping"] : []),
  ];
  return { ok: reasons.length === 0, reasons, facts: { generation } };
}

function only({ namespace, name }: { namespace: string; name: string }) {
  return { namespace, fieldSelector: `metadata.name=${name}` };
}

function inFlight(config: GatewayConfig, metrics: ReturnType<typeof createGatewayMetrics>): InFlight {
  const limits = {
    requestsPerKey: config.BELLHOP_MAX_REQUESTS_PER_HOOK,
    requests: config.BELLHOP_MAX_REQUESTS,
    bytesPerKey: config.BELLHOP_MAX_BYTES_PER_HOOK,
    bytes: config.BELLHOP_MAX_BYTES,
  };
  return new InFlight(limits, ({ requests, bytes }) => {
    metrics.requestsInFlight.set(requests);
    metrics.bytesInFlight.set(bytes);
  });
}

if (import.meta.main) {
  await runProcess("gateway", async ({ log, shutdown }) => {
    const config = readSettings(gatewayConfig, process.env);
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const kubeMetrics = createKubeMetrics(registry);
    const { client } = await connect({ metrics: kubeMetrics });
    await startGateway(config, { client, registry, kubeMetrics, log, shutdown });
  });
}

import { collectDefaultMetrics, Registry } from "prom-client";
import { createHttp } from "../integrations/http.ts";
import { httpConfig } from "../integrations/http/settings.ts";
import { connect } from "../kube/config.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createProbeServer } from "../kube/probes.ts";
import type { KubeClient } from "../kube/types.ts";
import { systemClock } from "../shared/clock.ts";
import { readSettings } from "../shared/environment.ts";
import type { Logger } from "../shared/log.ts";
import { runProcess } from "../shared/process.ts";
import type { Shutdown } from "../shared/shutdown.ts";
import { createApp } from "./app.ts";
import type { SigningKeys } from "./capability.ts";
import { brokerConfig, type BrokerConfig } from "./config.ts";
import { createFetchBounds } from "./fetch.ts";
import { followKeys } from "./keys.ts";
import { createMetrics } from "./metrics.ts";
import { createPeers } from "./guard.ts";
import { createBrokerServer } from "./server.ts";
import { defined } from "../shared/defined.ts";

const MiB = 1024 * 1024;

/** The parts of the process that the broker uses; tests pass their own. */
export interface BrokerParts {
  config: BrokerConfig;
  client: KubeClient;
  /** The registry for the metrics of the broker and of the Kubernetes client. */
  registry: Registry;
  log: Logger;
  shutdown: Shutdown;
}

/** Starts a broker; resolves when its probes answer. It accepts couriers as soon as the operator has stored its keys. */
export async function startBroker({
  config,
  client,
  registry,
  log,
  shutdown,
}: BrokerParts): Promise<{ port: () => number | undefined; probePort: number }> {
  const clock = systemClock;
  const namespace = config.BELLHOP_NAMESPACE;
  const http = createHttp({
    ...httpConfig(config),
    totalTimeoutMs: 30 * 60_000,
    clock,
    log,
  });
  let signing: SigningKeys | undefined;
  const peers = createPeers(clock, { shared: config.BELLHOP_ISOLATION === "process" });
  const maxPushBytes = config.BELLHOP_MAX_PUSH_MIB * MiB;
  const git = { client, namespace, fetch: http.fetch, log, clock, fetches: createFetchBounds(), maxPushBytes };
  const app = createApp({ client, clock, log, keys: () => signing, peers, git, metrics: createMetrics(registry) });
  const server = createBrokerServer(app, { port: config.BELLHOP_PORT, host: config.BELLHOP_HOST });
  const ready = () =>
    signing
      ? { ok: true, reasons: [] }
      : {
          ok: false,
          reasons: [`waiting for the operator to create the Secrets with the broker's keys in namespace ${namespace}`],
        };
  const probes = createProbeServer({
    port: config.BELLHOP_PROBE_PORT,
    registry,
    ready,
    ...defined({ host: config.BELLHOP_HOST }),
  });

  shutdown.onStop("http", () => http.close());
  shutdown.onStop("probes", () => probes.close());
  shutdown.onStop("server", () => server.close());
  const { port: probePort } = await probes.listen();
  void followKeys(
    { client, clock, log, namespace },
    (found) => {
      server.use(found);
      signing = found.signing;
      log.info({ signingKeys: found.signing.length }, "keys loaded");
    },
    shutdown.signal,
  );
  return { port: () => server.port, probePort };
}

if (import.meta.main) {
  await runProcess("broker", async ({ log, shutdown }) => {
    const config = readSettings(brokerConfig, process.env);
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const { client } = await connect({ metrics: createKubeMetrics(registry) });
    await startBroker({ config, client, registry, log, shutdown });
  });
}

import { randomBytes } from "node:crypto";
import { collectDefaultMetrics, Registry } from "prom-client";
import { createOutages, type Outages } from "../controllers/integration/outages.ts";
import { createHttp } from "../integrations/http.ts";
import { httpConfig } from "../integrations/http/settings.ts";
import { providers } from "../integrations/registry.ts";
import type { Provider } from "../integrations/provider.ts";
import { connect } from "../kube/config.ts";
import { createEventRecorder } from "../kube/events.ts";
import { createLeader, type Leader } from "../kube/leader.ts";
import { createManager, type ManagedServer } from "../kube/manager.ts";
import { createKubeMetrics, type KubeMetrics } from "../kube/metrics.ts";
import type { KubeConnection } from "../kube/types.ts";
import { systemClock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import { runProcess } from "../shared/process.ts";
import type { Shutdown } from "../shared/shutdown.ts";
import { installBaseURL, readConfig, type OperatorConfig } from "./config.ts";
import { createControllers, sourcesOf } from "./controllers.ts";
import type { Wiring } from "./wiring.ts";
import { createInformers } from "./informers.ts";
import { installApp } from "./install/app.ts";
import { createInstallServer } from "./install/server.ts";
import { defined } from "../shared/defined.ts";

/** Dependencies of the operator; tests pass their own. */
export interface OperatorParts {
  config: OperatorConfig;
  client: KubeConnection;
  registry: Registry;
  metrics: KubeMetrics;
  log: Logger;
  shutdown: Shutdown;
}

/** Runs an operator until its signal aborts; resolves when all parts have ended. */
export async function runOperator({ config, client, registry, metrics, log, shutdown }: OperatorParts): Promise<void> {
  const clock = systemClock;
  const served: Provider[] = Object.values(providers);
  const outages = createOutages({ clock, log });
  const http = createHttp({ ...httpConfig(config), clock, log, onBack: (host) => outages.hostAnswered(host) });
  const onUnreachable = (): void => outages.suspected();
  const informers = createInformers({ client, clock, log, metrics, onUnreachable }, served, config.BELLHOP_NAMESPACE);
  const events = createEventRecorder({
    client,
    component: "bellhop.dev/operator",
    instance: config.POD_NAME,
    clock,
    log,
  });
  const leader = leaderOf({ config, client, metrics, log }, outages);
  const wiring: Wiring = {
    client,
    config,
    informers,
    events,
    outages,
    metrics,
    clock,
    log,
    fetch: http.fetch,
    namespace: config.BELLHOP_NAMESPACE,
  };
  const controllers = createControllers(wiring);
  const { integrations, ...others } = informers;
  const manager = createManager({
    log,
    registry,
    probes: {
      port: config.BELLHOP_PROBE_PORT,
      ...defined({ host: config.BELLHOP_HOST }),
    },
    informers: {
      ...others,
      ...Object.fromEntries(integrations.map(({ provider, informer }) => [provider.kind, informer])),
    },
    controllers,
    servers: installServers(wiring),
    leader,
  });
  if (config.BELLHOP_SANDBOX_BACKEND === "process")
    log.warn({ reason: "NotIsolated" }, "sandboxes are processes: nothing is isolated");
  await manager.run(shutdown.signal);
  await events.flush();
  await http.close();
}

/** The install pages, if the installation serves them. */
function installServers(wiring: Wiring): ManagedServer[] {
  const { config, clock } = wiring;
  const [port, baseURL] = [config.BELLHOP_INSTALL_PORT, installBaseURL(config)];
  if (port === undefined || baseURL === undefined) return [];
  const app = installApp({ ...wiring, baseURL, sources: sourcesOf(wiring.informers) });
  return [createInstallServer({ port, host: config.BELLHOP_HOST, clock }, app)];
}

function leaderOf(
  { config, client, metrics, log }: Pick<OperatorParts, "config" | "client" | "metrics" | "log">,
  outages: Outages,
): Leader {
  return createLeader({
    client,
    namespace: config.BELLHOP_NAMESPACE,
    name: "bellhop-operator",
    identity: `${config.POD_NAME}_${randomBytes(4).toString("hex")}`,
    clock: systemClock,
    log,
    metrics,
    onRenewal: (answered) => (answered ? outages.answered() : outages.suspected()),
    onLost: (reason) => {
      log.error({ reason }, "leadership lost: another operator leads from now on");
      process.exit(1);
    },
  });
}

if (import.meta.main) {
  await runProcess("operator", async ({ log, shutdown }) => {
    const config = readConfig(process.env);
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const metrics = createKubeMetrics(registry);
    const { client } = await connect({ metrics });
    await runOperator({ config, client, registry, metrics, log, shutdown });
    await client.close();
  });
}

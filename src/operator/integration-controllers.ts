import { holds } from "../controllers/agent-task/state.ts";
import { taskCache } from "../controllers/agent-task/task-index.ts";
import type { IntegrationSource } from "../controllers/integration-handle.ts";
import { defaultIntegrationConfig } from "../controllers/integration/deps.ts";
import { sweepIntegrations } from "../controllers/integration/finalize.ts";
import { socketFollower } from "../controllers/integration/follow-sockets.ts";
import { gatewayKeyPublisher } from "../controllers/integration/gateway-keys.ts";
import { gatewaysAt } from "../controllers/integration/gateways.ts";
import { integrationReconciler } from "../controllers/integration/index.ts";
import { sharersOf, usersOf } from "../controllers/integration/members.ts";
import { publicNames } from "../controllers/integration/offered-repositories.ts";
import { createRules } from "../intake/cel.ts";
import { socketLeaseName } from "../intake/socket-states.ts";
import type { Provider } from "../integrations/provider.ts";
import { integrationType } from "../integrations/resource-type.ts";
import { itself, requestOf, type Controller } from "../kube/controller.ts";
import type { AgentTask } from "../api/kinds.ts";
import type { Change, Request } from "../kube/types.ts";
import { installBaseURL } from "./config.ts";
import type { Informers } from "./informers.ts";
import { type Wiring, controller, sweepEveryMs, serviceGateways } from "./wiring.ts";

/** Workers for each kind of integration: one namespace has three of them at most. */
const integrationWorkers = 4;

/** Creates the controllers of every kind of integration, of the sweep, and of the connections that gateways hold. */
export function integrationControllers(wiring: Wiring, sources: readonly IntegrationSource[]): Controller[] {
  const { client, log, config, informers } = wiring;
  const namespace = config.BELLHOP_NAMESPACE;
  const keys = gatewayKeyPublisher({ client, namespace, sources, log });
  const compileRule = createRules();
  const listing = publicNames({ ...wiring, sources });
  const gateways =
    config.BELLHOP_GATEWAY_ADDRESSES.length > 0
      ? gatewaysAt(config.BELLHOP_GATEWAY_ADDRESSES)
      : serviceGateways(wiring);
  const sweeping = controller(wiring, "integrationsweep", async (_request, signal) => {
    await sweepIntegrations({ client, namespace, sources, keys, log }, signal);
    return { requeueAfterMs: sweepEveryMs };
  });
  sweeping.enqueue({ namespace: "", name: "integrations" });
  const leaseKey = { namespace, name: socketLeaseName };
  const socketLease = () => informers.socketLease.store.get(leaseKey);
  const keeping = informers.integrations.map(({ provider, informer }, at) => {
    const source = sources[at];
    if (!source) throw new TypeError(`there is no integration source for ${provider.kind}`);
    const reconciler = integrationReconciler({
      ...wiring,
      source,
      sources,
      type: integrationType(provider),
      profiles: informers.profiles.store,
      tasks: taskCache(informers.tasks.store),
      keys,
      gateways,
      socketLease,
      publicNames: listing,
      compileRule,
      config: {
        ...defaultIntegrationConfig,
        namespace,
        externalURL: config.BELLHOP_EXTERNAL_URL?.replace(/\/+$/, ""),
        installBaseURL: installBaseURL(config),
      },
    });
    const made = controller(wiring, provider.kind.toLowerCase(), reconciler, { workers: integrationWorkers });
    made.watches(informer, itself);
    watchPublished(made, informers, source);
    searchAfterOutages(wiring, made, source);
    return made;
  });
  const enqueue = (kind: string, request: Request): void =>
    keeping.find(({ name }) => name === kind.toLowerCase())?.enqueue(request);
  const following = controller(
    wiring,
    "connections",
    socketFollower({ sources, socketLease, clock: wiring.clock, enqueue }),
  );
  following.watches(informers.socketLease, () => [leaseKey]);
  for (const { informer } of informers.integrations) following.watches(informer, () => [leaseKey]);
  return [...keeping, sweeping, following];
}

/** Reconciles integrations after an outage, each when its log of deliveries is to be searched. */
function searchAfterOutages({ outages }: Wiring, made: Controller, source: IntegrationSource): void {
  outages.onEnd((searches) => {
    for (const integration of source.list()) {
      const afterMs = searches.get(integration.metadata.uid ?? "");
      if (afterMs !== undefined) made.enqueue(requestOf(integration), { afterMs });
    }
  });
}

/** Reconciles integrations whose published facts or shared hook change with other objects. */
function watchPublished(made: Controller, informers: Informers, source: IntegrationSource): void {
  const { ingress, kind } = source.provider;
  for (const { informer, provider } of informers.integrations) {
    if (provider.kind === kind) made.watches(informer, sharersOf(source));
    if (ingress.offersRepositories) made.watches(informer, usersOf(source, provider.kind));
  }
  if (ingress.followsThreads) made.watches(informers.tasks, threadsOf(source.provider));
  // A profile's branch prefix is published to the gateways.
  made.watches(informers.profiles, ({ current, old }) => {
    const inNamespace = (current ?? old)?.metadata.namespace;
    return source
      .list()
      .filter(({ metadata }) => metadata.namespace === inNamespace)
      .map((integration) => requestOf(integration));
  });
}

/** The integration of a task that was just authorised: its thread is live from now on, and the gateways have to know that. */
function threadsOf({ kind }: Provider): (change: Change<AgentTask>) => Request[] {
  return ({ old, current, initial }) => {
    if (initial || !current || !holds(current, "Authorized") || (old && holds(old, "Authorized"))) return [];
    const { integrationRef } = current.spec;
    return integrationRef.kind === kind ? [{ namespace: current.metadata.namespace, name: integrationRef.name }] : [];
  };
}

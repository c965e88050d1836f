import { agentProfileReconciler } from "../controllers/agent-profile/index.ts";
import type { IntegrationSource } from "../controllers/integration-handle.ts";
import { installationRequest, keepInstallation, type InstallationKeeper } from "../controllers/installation/index.ts";
import { itself, type Controller } from "../kube/controller.ts";
import type { ManagedController } from "../kube/manager.ts";
import type { Informers } from "./informers.ts";
import { brokerHosts } from "./sandbox.ts";
import { type Wiring, controller, dayMs, guardrailsOf } from "./wiring.ts";
import { integrationControllers } from "./integration-controllers.ts";
import { tasksController } from "./task-controllers.ts";

/** Creates every controller of the operator. */
export function createControllers(wiring: Wiring): ManagedController[] {
  const { facts, reconciler } = installationOf(wiring);
  const installing = controller(wiring, "installation", reconciler);
  installing.enqueue(installationRequest);

  const sources = sourcesOf(wiring.informers);
  return [
    installing,
    profilesController(wiring),
    ...integrationControllers(wiring, sources),
    tasksController(wiring, sources, facts),
  ];
}

/** The caches of every kind of integration. */
export function sourcesOf({ integrations }: Informers): IntegrationSource[] {
  return integrations.map(({ provider, informer }) => ({
    provider,
    get: (key) => informer.store.get(key),
    list: () => informer.store.list(),
  }));
}

function installationOf({ client, clock, config }: Wiring): InstallationKeeper {
  return keepInstallation({
    client,
    clock,
    namespace: config.BELLHOP_NAMESPACE,
    brokerNamespace: config.BELLHOP_BROKER_NAMESPACE,
    brokerHosts: brokerHosts(config),
    signingKeyMaxAgeMs: 30 * dayMs,
    brokerService:
      config.BELLHOP_BROKER_URL === undefined
        ? { namespace: config.BELLHOP_BROKER_NAMESPACE, name: config.BELLHOP_BROKER_SERVICE }
        : undefined,
  });
}

function profilesController(wiring: Wiring): Controller {
  const { client, clock, config, informers } = wiring;
  const made = controller(
    wiring,
    "agentprofile",
    agentProfileReconciler({ client, clock, guardrails: guardrailsOf(config), profiles: informers.profiles.store }),
  );
  made.watches(informers.profiles, itself);
  return made;
}

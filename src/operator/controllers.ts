import type { Guardrails } from "../controllers/agent-profile/decide.ts";
import { agentProfileReconciler } from "../controllers/agent-profile/index.ts";
import { createAdmission } from "../controllers/agent-task/admission/loop.ts";
import { createTaskCredentials } from "../controllers/agent-task/broker-secrets.ts";
import { codeHostRefOf, holds } from "../controllers/agent-task/state.ts";
import { commandStep } from "../controllers/agent-task/commands/index.ts";
import { defaultConfig } from "../controllers/agent-task/config.ts";
import type { AgentTaskDeps } from "../controllers/agent-task/deps.ts";
import { agentTaskController, lifeOf } from "../controllers/agent-task/index.ts";
import { publishStep } from "../controllers/agent-task/publish/index.ts";
import { reportStep } from "../controllers/agent-task/report/index.ts";
import { taskCache } from "../controllers/agent-task/task-index.ts";
import { integrationFinder, type SignInDeps, type IntegrationSource } from "../controllers/integration-handle.ts";
import { egressProbes } from "../controllers/installation/egress.ts";
import { installationRequest, keepInstallation, type InstallationKeeper } from "../controllers/installation/index.ts";
import { defaultIntegrationConfig } from "../controllers/integration/deps.ts";
import { sweepIntegrations } from "../controllers/integration/finalize.ts";
import { socketFollower } from "../controllers/integration/follow-sockets.ts";
import { gatewayKeyPublisher } from "../controllers/integration/gateway-keys.ts";
import {
  answeringGateways,
  gatewaysAt,
  gatewaysOfService,
  type Gateways,
} from "../controllers/integration/gateways.ts";
import { integrationReconciler } from "../controllers/integration/index.ts";
import { sharersOf, usersOf } from "../controllers/integration/members.ts";
import { publicNames } from "../controllers/integration/offered-repositories.ts";
import { createRules } from "../intake/cel.ts";
import { socketLeaseName } from "../intake/socket-states.ts";
import type { Provider } from "../integrations/provider.ts";
import { integrationType } from "../integrations/resource-type.ts";
import { createController, itself, requestOf, type Controller, type ControllerOptions } from "../kube/controller.ts";
import type { AgentTask } from "../api/kinds.ts";
import type { Change, Request } from "../kube/types.ts";
import type { EventRecorder } from "../kube/events.ts";
import type { ManagedController } from "../kube/manager.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import type { KubeConnection, Reconciler } from "../kube/types.ts";
import { podProvider } from "../sandbox/pod/index.ts";
import type { InstallationFacts } from "../sandbox/pod/settings.ts";
import { defined } from "../shared/defined.ts";
import { installBaseURL, type OperatorConfig } from "./config.ts";
import type { Informers } from "./informers.ts";
import { leading } from "./leading.ts";
import { brokerHosts, brokerURL, sandboxSettings } from "./sandbox.ts";

/** Dependencies of the controllers. */
export interface Wiring extends SignInDeps {
  client: KubeConnection;
  config: OperatorConfig;
  informers: Informers;
  events: EventRecorder;
  metrics: KubeMetrics;
}

const sweepEveryMs = 10 * 60_000;
const dayMs = 86_400_000;
/** Workers for each kind of integration: one namespace has three of them at most. */
const integrationWorkers = 4;
/**
 * Short, because the lease is released after the last reconcile, and the next operator, which checks every 2 s, must lead within 3 s. Longer
 * reconciles are aborted; every step may be killed and run again.
 */
const graceMs = 300;

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

function guardrailsOf(config: OperatorConfig): Guardrails {
  return {
    images: config.BELLHOP_GUARDRAIL_IMAGES,
    ...defined({
      maxCPU: config.BELLHOP_GUARDRAIL_MAX_CPU,
      maxMemory: config.BELLHOP_GUARDRAIL_MAX_MEMORY,
      maxStorage: config.BELLHOP_GUARDRAIL_MAX_STORAGE,
    }),
  };
}

function integrationControllers(wiring: Wiring, sources: readonly IntegrationSource[]): Controller[] {
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

function serviceGateways({ client, config }: Wiring): Gateways {
  return gatewaysOfService({
    client,
    namespace: config.BELLHOP_NAMESPACE,
    serviceName: config.BELLHOP_GATEWAY_SERVICE,
    probePort: config.BELLHOP_GATEWAY_PROBE_PORT,
  });
}

/** Gateways that the operator has just reached. None if gateways and sandboxes are processes of this machine: nothing is probed there. */
async function canaries(wiring: Wiring, signal: AbortSignal): Promise<{ host: string; port: number }[]> {
  if (wiring.config.BELLHOP_GATEWAY_ADDRESSES.length > 0) return [];
  return answeringGateways(serviceGateways(wiring), wiring.config.BELLHOP_GATEWAY_PROBE_PORT, signal);
}

function tasksController(
  wiring: Wiring,
  sources: readonly IntegrationSource[],
  installation: () => Partial<InstallationFacts>,
): ManagedController {
  const { informers, config, log, clock } = wiring;
  const deps = taskDeps(wiring, sources, installation);
  const tasks = agentTaskController(deps, lifeOf({ commands: commandStep, publish: publishStep, report: reportStep }));
  const workers = config.BELLHOP_WORKERS;
  const made = controller(wiring, "agenttask", tasks.reconcile, { workers, groupOf: integrationNameOf(informers) });
  made.watches(informers.tasks, tasks.onTask);
  // One change of these affects many tasks, so it has a lower priority than a change of a task itself.
  made.watches(informers.profiles, tasks.onProfile, "low");
  for (const { informer } of informers.integrations) made.watches(informer, tasks.onIntegration, "low");
  made.watches(informers.pods, tasks.onPod);
  made.watches(informers.networkPolicies, tasks.onNetworkPolicy);
  tasks.onAdmission((request, priority) => made.enqueue(request, { priority }));
  const sweeping = controller(wiring, "sweep", async (_request, signal) => {
    // While a task exists, its own clean-up revokes the token before it deletes the Secret.
    const alive = new Set(informers.tasks.store.list().map(({ metadata }) => metadata.uid));
    await deps.credentials.sweep((uid) => alive.has(uid), signal);
    return { requeueAfterMs: sweepEveryMs };
  });
  sweeping.enqueue({ namespace: "", name: "broker-secrets" });
  const prepare = async (signal: AbortSignal): Promise<void> => {
    await deps.credentials.load(signal);
    await tasks.lead(signal);
  };
  return leading({ clock, log, prepare, controllers: [made, sweeping] });
}

/** The tasks of the integrations in a namespace take turns. */
function integrationNameOf({ tasks }: Informers): (request: Request) => string {
  return (request) => {
    const { kind = "", name = "" } = tasks.store.get(request)?.spec.integrationRef ?? {};
    return `${kind}/${name}`;
  };
}

function taskDeps(
  wiring: Wiring,
  sources: readonly IntegrationSource[],
  installation: () => Partial<InstallationFacts>,
) {
  const { client, clock, log, informers, config, events } = wiring;
  const brokerNamespace = config.BELLHOP_BROKER_NAMESPACE;
  const taskConfig = {
    ...defaultConfig,
    brokerURL: brokerURL(config),
    brokerNamespace,
    concurrency: { perNamespace: config.BELLHOP_MAX_TASKS_NAMESPACE, cluster: config.BELLHOP_MAX_TASKS_CLUSTER },
    guardrails: guardrailsOf(config),
    retention: { ...defaultConfig.retention, taskMs: config.BELLHOP_TASK_RETENTION_DAYS * dayMs },
  };
  const findIntegration = integrationFinder(wiring, sources);
  const tasks = taskCache(informers.tasks.store);
  const profile = (namespace: string, name: string) => informers.profiles.store.get({ namespace, name });
  const credentials = createTaskCredentials({ kube: client, brokerNamespace, clock, log });
  return {
    kube: client,
    tasks,
    profiles: informers.profiles.store,
    findIntegration,
    sandbox: podProvider({
      client,
      pods: informers.pods.store,
      networkPolicies: informers.networkPolicies.store,
      settings: sandboxSettings(config),
      installation,
      clock,
    }),
    egress: (signal: AbortSignal) => egressProbes({ client, canaries: (asking) => canaries(wiring, asking) }, signal),
    admission: createAdmission({
      tasks,
      integration: ({ metadata, spec }) =>
        findIntegration({ ...spec.integrationRef, namespace: metadata.namespace })?.integration,
      codeHostIntegration: (task) =>
        findIntegration({ ...codeHostRefOf(task), namespace: task.metadata.namespace })?.integration,
      profile: ({ metadata, spec }) => profile(metadata.namespace, spec.profileRef.name),
      clock,
      config: taskConfig,
    }),
    credentials,
    events: {
      normal: (task, reason, message) => events.record(task, { type: "Normal", reason, message, action: "Reconcile" }),
      warning: (task, reason, message) =>
        events.record(task, { type: "Warning", reason, message, action: "Reconcile" }),
    },
    clock,
    log,
    config: taskConfig,
  } satisfies AgentTaskDeps;
}

function controller(
  { clock, log, metrics }: Wiring,
  name: string,
  reconciler: Reconciler,
  options: Pick<ControllerOptions, "workers" | "groupOf"> = {},
): Controller {
  return createController({ name, reconciler, graceMs, clock, log, metrics, ...options });
}

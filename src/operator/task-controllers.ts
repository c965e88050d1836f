import { createAdmission } from "../controllers/agent-task/admission/loop.ts";
import { createTaskCredentials } from "../controllers/agent-task/broker-secrets.ts";
import { codeHostRefOf } from "../controllers/agent-task/state.ts";
import { commandStep } from "../controllers/agent-task/commands/index.ts";
import { defaultConfig } from "../controllers/agent-task/config.ts";
import type { AgentTaskDeps } from "../controllers/agent-task/deps.ts";
import { agentTaskController, lifeOf } from "../controllers/agent-task/index.ts";
import { publishStep } from "../controllers/agent-task/publish/index.ts";
import { reportStep } from "../controllers/agent-task/report/index.ts";
import { taskCache } from "../controllers/agent-task/task-index.ts";
import { integrationFinder, type IntegrationSource } from "../controllers/integration-handle.ts";
import { withRecentSecrets } from "../controllers/secrets.ts";
import { egressProbes } from "../controllers/installation/egress.ts";
import { answeringGateways } from "../controllers/integration/gateways.ts";
import type { Request } from "../kube/types.ts";
import type { ManagedController } from "../kube/manager.ts";
import { podProvider } from "../sandbox/pod/index.ts";
import type { InstallationFacts } from "../sandbox/pod/settings.ts";
import type { Informers } from "./informers.ts";
import { leading } from "./leading.ts";
import { brokerURL, sandboxSettings } from "./sandbox.ts";
import { type Wiring, controller, sweepEveryMs, dayMs, guardrailsOf, serviceGateways } from "./wiring.ts";

/** Creates the controller of tasks and the sweep of their tokens, which start together when the operator leads. */
export function tasksController(
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
  const findIntegration = integrationFinder({ ...wiring, client: withRecentSecrets(client, clock) }, sources);
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
    egress: egressProbes({ client, clock, canaries: (asking) => canaries(wiring, asking) }),
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

/** Gateways that the operator has just reached. None if gateways and sandboxes are processes of this machine: nothing is probed there. */
async function canaries(wiring: Wiring, signal: AbortSignal): Promise<{ host: string; port: number }[]> {
  if (wiring.config.BELLHOP_GATEWAY_ADDRESSES.length > 0) return [];
  return answeringGateways(serviceGateways(wiring), wiring.config.BELLHOP_GATEWAY_PROBE_PORT, signal);
}

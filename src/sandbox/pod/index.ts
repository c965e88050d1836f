import { names } from "../../api/annotations.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { isAlreadyExists, isNotFound, isQuotaExceeded, ApiError } from "../../kube/errors.ts";
import { sameJson } from "../../kube/apply.ts";
import { removeFinalizer } from "../../kube/finalizers.ts";
import { configMaps, networkPolicies, pods, type NetworkPolicy, type Pod } from "../../kube/resources.ts";
import type { Draft, KubeClient, KubeObject, ResourceType, Store } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import { BellhopError } from "../../shared/errors.ts";
import type { SandboxProvider, SandboxRequest, SandboxState } from "../provider.ts";
import { buildContext } from "./context-config-map.ts";
import { foreignEgress, policiesFor } from "./foreign-policy.ts";
import { podName, policyName, sandboxLabels } from "./names.ts";
import { buildNetworkPolicy, closesLike } from "./network-policy.ts";
import { observePod } from "./observe.ts";
import { buildPod } from "./pod.ts";
import type { InstallationFacts, PodSettings, SandboxSettings } from "./settings.ts";
import { defined } from "../../shared/defined.ts";

/** Dependencies of the pod backend. */
export interface PodProviderDeps {
  client: KubeClient;
  /** Sandbox pods (label `app.kubernetes.io/component: sandbox`) of all namespaces. */
  pods: Store<Pod>;
  /** Network policies of all namespaces, with `policyIndexes`. A policy of somebody else that allows egress from our pods stops them. */
  networkPolicies: Pick<Store<NetworkPolicy>, "get" | "byIndex">;
  settings: SandboxSettings;
  /** The facts that the operator has found by now. */
  installation: () => Partial<InstallationFacts>;
  clock: Clock;
}

/** Runs sandboxes as pods: on any cluster (`pod`), or on the process node for development (`process`). Both backends use the same code. */
export function podProvider(deps: PodProviderDeps): SandboxProvider {
  return {
    backend: deps.settings.backend,
    notIsolated: deps.settings.backend === "process" ? ["user ids", "network egress", "peer addresses"] : [],
    podName: (task, attempt) => podName(task.metadata.name, attempt),
    ensure: (request, signal) => ensure(deps, request, signal),
    observe: (task, attempt) => observe(deps, task, attempt),
    closed: (task, signal) => closed(deps, task, signal),
    harvested: (task, attempt, signal) => harvested(deps, task, attempt, signal),
    remove: (task, attempt, graceSeconds, signal) => remove(deps, { task, attempt, graceSeconds }, signal),
  };
}

async function ensure(
  deps: PodProviderDeps,
  request: SandboxRequest,
  signal: AbortSignal,
): Promise<{ podUID: string }> {
  const { task, attempt } = request;
  refuseForeignEgress(deps, task, attempt);
  if (deps.settings.backend === "pod") await closeNetwork(deps, task, signal);
  const settings = requireSettings(deps);
  await createOwned(deps, configMaps, buildContext(request, settings), signal);
  const pod = await createOwned(deps, pods, buildPod(request, settings), signal);
  return { podUID: pod.metadata.uid ?? "" };
}

/**
 * The settings with the facts of the installation. Until the operator has found every fact, throws `InstallationNotReady` (retryable), which
 * names the missing one; the task shows it in its condition `SandboxReady`.
 */
function requireSettings({ settings, installation }: PodProviderDeps): PodSettings {
  const { caCertificate, brokerIP } = installation();
  if (caCertificate !== undefined && brokerIP !== undefined) return { ...settings, caCertificate, brokerIP };
  const missing =
    caCertificate === undefined
      ? "the certificate authority that the operator creates for the broker"
      : "the cluster IP of the broker's Service";
  throw new BellhopError(
    "InstallationNotReady",
    `The sandbox cannot start without ${missing}, which is not known yet. If this takes longer than a minute, the operator's log says why.`,
    { retryable: true },
  );
}

async function closeNetwork(deps: PodProviderDeps, task: AgentTask, signal: AbortSignal): Promise<void> {
  const ours = buildNetworkPolicy(task, deps.settings);
  const policy = await createOwned(deps, networkPolicies, ours, signal);
  if (closesLike(ours, policy)) return;
  const { name, namespace } = policy.metadata;
  throw new BellhopError(
    "PodRefused",
    `NetworkPolicy ${namespace}/${name}, which isolates the sandbox, was changed; delete it, then use the command \`retry\``,
  );
}

async function closed(deps: PodProviderDeps, task: AgentTask, signal: AbortSignal): Promise<boolean> {
  if (deps.settings.backend === "process") return true;
  const ours = buildNetworkPolicy(task, deps.settings);
  const key = { namespace: task.metadata.namespace, name: policyName(task.metadata.name) };
  if (closesLike(ours, deps.networkPolicies.get(key))) return true;
  return closesLike(ours, await deps.client.find(networkPolicies, key, signal));
}

/** Creates an object, or adopts the existing one if the task owns it. */
async function createOwned<T extends KubeObject>(
  deps: PodProviderDeps,
  type: ResourceType<T>,
  draft: Draft<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await deps.client.create(type, draft, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw refusal(type, { metadata: draft.metadata }, error);
  }
  const { name, namespace } = draft.metadata;
  const existing = await deps.client.get(type, { name, ...defined({ namespace }) }, signal);
  const owner = draft.metadata.ownerReferences?.[0]?.uid;
  if (existing.metadata.ownerReferences?.some(({ uid }) => uid === owner)) return existing;
  throw new BellhopError(
    "PodNameTaken",
    `${type.kind} ${namespace}/${name} already exists and belongs to another owner; delete it or rename it`,
  );
}

/** Converts an error of the API server: quota errors are retryable, other refusals are final, and everything else stays as it is. */
function refusal(
  type: { kind: string },
  draft: { metadata: { name: string; namespace?: string } },
  error: unknown,
): unknown {
  if (!(error instanceof ApiError)) return error;
  const what = `${type.kind} ${draft.metadata.namespace}/${draft.metadata.name}`;
  if (isQuotaExceeded(error))
    return new BellhopError("QuotaExceeded", `${what}: ${error.message}`, { retryable: true, cause: error });
  const final = error.status === 403 || error.status === 422 || error.status === 413 || error.status === 400;
  return final
    ? new BellhopError("PodRefused", `the cluster refused to create the sandbox: ${error.message}`, { cause: error })
    : error;
}

function refuseForeignEgress(deps: PodProviderDeps, task: AgentTask, attempt: number): void {
  const foreign = foreignPolicy(deps, task, attempt);
  if (foreign) throw new BellhopError("PodRefused", foreignMessage(foreign));
}

function foreignPolicy(deps: PodProviderDeps, task: AgentTask, attempt: number): NetworkPolicy | undefined {
  if (deps.settings.backend === "process") return undefined;
  const { name, namespace } = task.metadata;
  const ours = buildNetworkPolicy(task, deps.settings).spec?.egress;
  // A policy with our name is foreign too, if it allows egress that we did not write.
  const others = policiesFor(deps.networkPolicies, namespace, name).filter(
    ({ metadata, spec }) => metadata.name !== policyName(name) || !sameJson(spec?.egress, ours),
  );
  return foreignEgress(others, sandboxLabels(name, attempt));
}

function foreignMessage(policy: NetworkPolicy): string {
  return (
    `NetworkPolicy ${policy.metadata.namespace}/${policy.metadata.name} allows network traffic from the sandbox; ` +
    "delete it, or change its podSelector so that it does not match `app.kubernetes.io/component: sandbox`, then use the command `retry`"
  );
}

function observe(deps: PodProviderDeps, task: AgentTask, attempt: number): SandboxState {
  const pod = deps.pods.get({ namespace: task.metadata.namespace, name: podName(task.metadata.name, attempt) });
  if (!pod || !pod.metadata.ownerReferences?.some(({ uid }) => uid === task.metadata.uid)) return { state: "Missing" };
  const state = observePod(pod, attempt, deps.clock.now());
  const foreign =
    state.state === "Running" || state.state === "Pending" ? foreignPolicy(deps, task, attempt) : undefined;
  if (!foreign) return state;
  return {
    state: "Broken",
    podUID: pod.metadata.uid ?? "",
    reason: "ForeignNetworkPolicy",
    message: foreignMessage(foreign),
    retryable: false,
  };
}

async function harvested(deps: PodProviderDeps, task: AgentTask, attempt: number, signal: AbortSignal): Promise<void> {
  const key = { namespace: task.metadata.namespace, name: podName(task.metadata.name, attempt) };
  const pod = deps.pods.get(key) ?? (await deps.client.find(pods, key, signal));
  const ours = pod?.metadata.ownerReferences?.some(({ uid }) => uid === task.metadata.uid);
  if (pod && ours) await removeFinalizer(deps.client, pods, pod, names.harvest);
}

async function remove(
  deps: PodProviderDeps,
  { task, attempt, graceSeconds }: { task: AgentTask; attempt: number; graceSeconds: number },
  signal: AbortSignal,
): Promise<void> {
  const key = { namespace: task.metadata.namespace, name: podName(task.metadata.name, attempt) };
  const pod = deps.pods.get(key) ?? (await deps.client.find(pods, key, signal));
  if (!pod?.metadata.ownerReferences?.some(({ uid }) => uid === task.metadata.uid)) return;
  const uid = pod.metadata.uid;
  try {
    await deps.client.delete(pods, key, {
      gracePeriodSeconds: graceSeconds,
      signal,
      ...defined({ uid }),
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

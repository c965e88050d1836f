import { manager, names } from "../../api/annotations.ts";
import type { AgentProfile } from "../../api/kinds.ts";
import {
  decodeFacts,
  encodeFacts,
  gatewayFactsConfigMapName,
  maxLiveThreads,
  threadKey,
  type IntegrationFacts,
} from "../../intake/gateway-facts.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import { configMaps } from "../../kube/resources.ts";
import type { KubeClient, ObjectKey } from "../../kube/types.ts";
import { holds, newestFirst, ownConversation } from "../agent-task/state.ts";
import type { TaskCache } from "../agent-task/task-index.ts";
import type { FindIntegration } from "../integration-handle.ts";
import { hookSecretName } from "./hook-secret.ts";
import { offeredRepositories } from "./offered-repositories.ts";

/** Dependencies of `publishFacts` and `withdrawFacts`. */
export interface GatewayFactsDeps {
  client: KubeClient;
  namespace: string;
}

/** Dependencies of `factsOf`. */
interface FactsDeps {
  provider: Provider;
  profiles: { get(key: ObjectKey): AgentProfile | undefined };
  tasks: Pick<TaskCache, "ofIntegration">;
  /** Finds the code host of the integration. */
  find: FindIntegration;
}

/**
 * Publishes the facts that gateways need and that are not in the integration's own object. Without `publicOnes`, the names of public
 * repositories stay as they were published.
 */
export async function publishFacts(
  deps: GatewayFactsDeps & FactsDeps,
  integration: Integration,
  { signal, publicOnes }: { signal: AbortSignal; publicOnes?: readonly string[] },
): Promise<void> {
  await patch(deps, integration, {
    signal,
    value: (stored) => encodeFacts(factsOf(deps, integration, publicOnes ?? publicOnesOf(stored))),
  });
}

/** Removes the facts of an integration. */
export async function withdrawFacts(
  deps: GatewayFactsDeps,
  integration: Integration,
  signal: AbortSignal,
): Promise<void> {
  await patch(deps, integration, { signal, value: () => null });
}

/** Pure: the branch prefixes of every profile that the integration names, and the name of its hook Secret. */
export function factsOf(
  { profiles, provider, tasks, find }: FactsDeps,
  integration: Integration,
  publicOnes: readonly string[],
): IntegrationFacts {
  const { namespace } = integration.metadata;
  const named = [
    integration.spec.profileRef,
    ...integration.spec.triggers.flatMap(({ profileRef }) => (profileRef ? [profileRef] : [])),
  ];
  const prefixes = named.flatMap(({ name }) => profiles.get({ namespace, name })?.spec.output.branchPrefix ?? []);
  return {
    branchPrefixes: [...new Set(prefixes)].toSorted(),
    liveThreads: provider.ingress.followsThreads ? liveThreadsOf(tasks, provider, integration) : [],
    offered: offeredRepositories({ provider, integration, find }, publicOnes),
    hookSecret: hookSecretName(provider, integration),
  };
}

/** The threads in which somebody who may start tasks called the bot, the newest first. */
function liveThreadsOf(tasks: FactsDeps["tasks"], { kind }: Provider, { metadata }: Integration): string[] {
  const authorised = tasks.ofIntegration({ ...metadata, kind }).filter((task) => holds(task, "Authorized"));
  const keys = authorised.sort(newestFirst).map((task) => threadKey(ownConversation(task).name));
  return [...new Set(keys)].slice(0, maxLiveThreads);
}

/** The repositories of a published entry that are offered everywhere. */
function publicOnesOf(stored: string | undefined): string[] {
  return decodeFacts(stored).offered.flatMap(({ name, places }) => (places === undefined ? [name] : []));
}

/** `value` returns the new entry of the integration; it gets the stored one. */
interface Change {
  signal: AbortSignal;
  value: (stored: string | undefined) => string | null;
}

async function patch(
  deps: GatewayFactsDeps,
  integration: Integration,
  { signal, value: valueOf }: Change,
): Promise<void> {
  const key = { namespace: deps.namespace, name: gatewayFactsConfigMapName };
  const uid = integration.metadata.uid ?? "";
  const existing = await deps.client.find(configMaps, key, signal);
  const stored = existing?.data?.[uid];
  const value = valueOf(stored);
  if ((stored ?? null) === value) return;
  if (existing) {
    await deps.client.mergePatch(configMaps, key, { data: { [uid]: value } }, { signal });
    return;
  }
  const metadata = { ...key, labels: { [names.managedBy]: manager } };
  await deps.client.create(
    configMaps,
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: value === null ? {} : { [uid]: value } },
    { signal },
  );
}

import { integrationKinds } from "../api/integration-kinds.ts";
import type { KubeObject, ResourceType } from "../kube/types.ts";
import type { Integration } from "./integration.ts";
import type { Provider } from "./provider.ts";

/** The Kubernetes resource type of a provider's integrations. */
export function integrationType(provider: Provider): ResourceType<Integration & KubeObject> {
  const { group, version, kind, plural, namespaced } = integrationKinds[provider.name];
  return { group, version, kind, plural, namespaced };
}

import { kinds } from "../api/kinds.ts";
import type { KubeObject, ResourceType } from "../kube/types.ts";
import type { Integration, Provider } from "./types.ts";

/** The Kubernetes resource type of a provider's integrations. */
export function integrationType(provider: Provider): ResourceType<Integration & KubeObject> {
  const found = kinds.find(({ kind }) => kind === provider.kind);
  if (!found) throw new TypeError(`no CRD has the kind ${provider.kind}`);
  const { group, version, kind, plural, namespaced } = found;
  return { group, version, kind, plural, namespaced };
}

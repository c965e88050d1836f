import type { StoredIntegration } from "../intake/choose-integration.ts";
import type { HookMember } from "../intake/gateway-keys.ts";
import { integrationType } from "../integrations/resource-type.ts";
import type { Provider } from "../integrations/provider.ts";
import { createInformer, type InformerDeps } from "../kube/informer.ts";
import type { Informer, KubeObject } from "../kube/types.ts";

/** Local copies of the integrations of every provider. */
export interface Integrations {
  informers: Informer<KubeObject>[];
  /** The integration of a hook's member; undefined if it was deleted or recreated under the same name. */
  find(member: HookMember): StoredIntegration | undefined;
}

/** Creates informers for the kind of each provider, in the given namespaces or in all. */
export function createIntegrations(
  deps: InformerDeps,
  providers: readonly Provider[],
  namespaces: readonly string[],
): Integrations {
  const scopes = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
  const byKind = new Map<string, Informer<KubeObject>[]>(
    providers.map((provider) => [
      provider.kind,
      scopes.map((scope) => createInformer(deps, integrationType(provider), scope)),
    ]),
  );
  return {
    informers: [...byKind.values()].flat(),
    find({ kind, namespace, name, uid }) {
      const found = (byKind.get(kind) ?? []).map(({ store }) => store.get({ namespace, name })).find(Boolean);
      return found?.metadata.uid === uid ? (found as unknown as StoredIntegration) : undefined;
    },
  };
}

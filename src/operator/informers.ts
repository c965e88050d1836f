import { AgentProfileKind, AgentTaskKind } from "../api/kinds.ts";
import { taskIndexes, taskPages } from "../controllers/agent-task/task-index.ts";
import { socketLeaseName } from "../intake/socket-states.ts";
import { integrationType } from "../integrations/resource-type.ts";
import type { Provider } from "../integrations/provider.ts";
import { createInformer, type InformerDeps } from "../kube/informer.ts";
import { leases, networkPolicies, pods } from "../kube/resources.ts";
import { policyIndexes } from "../sandbox/pod/foreign-policy.ts";

/** All informers of the operator. */
export type Informers = ReturnType<typeof createInformers>;

/** Informers for our kinds, sandbox pods and network policies, in all namespaces; and for the Lease of the connections, in Bellhop's own. */
export function createInformers(deps: InformerDeps, providers: readonly Provider[], namespace: string) {
  return {
    integrations: providers.map((provider) => ({
      provider,
      informer: createInformer(deps, integrationType(provider)),
    })),
    tasks: createInformer(deps, AgentTaskKind, { ...taskPages, indexes: taskIndexes }),
    profiles: createInformer(deps, AgentProfileKind),
    pods: createInformer(deps, pods, { labelSelector: "app.kubernetes.io/component=sandbox" }),
    socketLease: createInformer(deps, leases, { namespace, fieldSelector: `metadata.name=${socketLeaseName}` }),
    networkPolicies: createInformer(deps, networkPolicies, { indexes: policyIndexes }),
  };
}

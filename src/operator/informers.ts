import { AgentProfileKind, AgentTaskKind, type AgentTask } from "../api/kinds.ts";
import { integrationType } from "../integrations/resource-type.ts";
import type { Provider } from "../integrations/types.ts";
import { createInformer, type InformerDeps } from "../kube/informer.ts";
import { networkPolicies, pods } from "../kube/resources.ts";

/** Every local copy that the operator keeps. */
export type Informers = ReturnType<typeof createInformers>;

/** Informers for our kinds, sandbox pods and network policies, in all namespaces. */
export function createInformers(deps: InformerDeps, providers: readonly Provider[]) {
  return {
    integrations: providers.map((provider) => ({
      provider,
      informer: createInformer(deps, integrationType(provider)),
    })),
    tasks: createInformer(deps, AgentTaskKind, { transform: withoutTexts }),
    profiles: createInformer(deps, AgentProfileKind),
    pods: createInformer(deps, pods, { labelSelector: "app.kubernetes.io/component=sandbox" }),
    networkPolicies: createInformer(deps, networkPolicies),
  };
}

/** Prompts and comments are up to 64 KiB each; whoever needs one reads the task itself. */
function withoutTexts(task: AgentTask): AgentTask {
  const { prompt: _prompt, ...spec } = task.spec;
  const { text: _text, ...source } = spec.source;
  return { ...task, spec: { ...spec, source } };
}

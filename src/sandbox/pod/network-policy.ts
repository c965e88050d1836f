import { names } from "../../api/annotations.ts";
import type { AgentTask } from "../../api/kinds.ts";
import { sameJson } from "../../kube/apply.ts";
import type { NetworkPolicy } from "../../kube/resources.ts";
import type { Draft } from "../../kube/types.ts";
import { policyName, sandboxLabels } from "./names.ts";
import { ownedBy } from "./pod.ts";
import type { SandboxSettings } from "./settings.ts";

/**
 * Denies all ingress, and all egress except to the pods of the broker. The policy names pods and target ports, because policies apply after
 * the translation of service addresses.
 */
export function buildNetworkPolicy(task: AgentTask, settings: SandboxSettings): Draft<NetworkPolicy> {
  const { namespace, podLabels, targetPort } = settings.broker;
  const labels = sandboxLabels(task.metadata.name, 0);
  delete labels[names.attempt];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: policyName(task.metadata.name),
      namespace: task.metadata.namespace,
      labels,
      ownerReferences: [ownedBy(task)],
    },
    spec: {
      podSelector: { matchLabels: { [names.task]: task.metadata.name, "app.kubernetes.io/component": "sandbox" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
              podSelector: { matchLabels: podLabels },
            },
          ],
          ports: [{ protocol: "TCP", port: targetPort }],
        },
      ],
    },
  };
}

/** Whether a policy isolates exactly as `ours` does: the same pods, both directions, the same egress. API servers omit empty lists. */
export function closesLike(ours: Draft<NetworkPolicy>, policy: NetworkPolicy | undefined): boolean {
  return policy?.spec !== undefined && sameJson(parts(policy.spec), parts(ours.spec));
}

function parts(spec: NetworkPolicy["spec"]): object {
  const { podSelector, policyTypes, ingress = [], egress = [] } = spec ?? {};
  return { podSelector, policyTypes, ingress, egress };
}

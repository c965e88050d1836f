import type { Pod } from "../../../src/kube/resources.ts";

/**
 * Why this node cannot run a pod, for the pod's status; undefined if it can. The node refuses a pod that it cannot run as a kubelet would.
 */
export function unsupported(pod: Pod): string | undefined {
  const spec = pod.spec;
  if ((spec?.restartPolicy ?? "Always") !== "Never")
    return `the process node runs pods with restartPolicy Never, not ${spec?.restartPolicy ?? "Always"}`;
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const probed = all.find((each) => each.startupProbe ?? each.readinessProbe ?? each.livenessProbe ?? each.lifecycle);
  return probed && `container ${probed.name} has probes or lifecycle hooks, which the process node does not run`;
}

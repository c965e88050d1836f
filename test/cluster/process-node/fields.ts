import type { Pod } from "../../../src/kube/resources.ts";

/** The address of every pod of this node, because all pods share the machine's loopback. */
export const podIP = "127.0.0.1";

/** The value of a downward API field. Throws for a field that this node does not support. */
export function fieldOf(pod: Pod, path: string): string {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1] as "labels" | "annotations"]?.[keyed[2] ?? ""] ?? "";
  const value = fields[path];
  if (value === undefined) throw new Error(`the process node does not know the field ${path}`);
  return value(pod);
}

const fields: Record<string, (pod: Pod) => string> = {
  "metadata.name": (pod) => pod.metadata.name,
  "metadata.namespace": (pod) => pod.metadata.namespace ?? "",
  "metadata.uid": (pod) => pod.metadata.uid ?? "",
  "metadata.labels": (pod) => lines(pod.metadata.labels),
  "metadata.annotations": (pod) => lines(pod.metadata.annotations),
  "spec.nodeName": (pod) => pod.spec?.nodeName ?? "",
  "spec.serviceAccountName": (pod) => pod.spec?.serviceAccountName ?? "",
  "status.hostIP": () => podIP,
  "status.podIP": () => podIP,
  "status.podIPs": () => podIP,
};

function lines(map: Record<string, string> = {}): string {
  return Object.entries(map)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}

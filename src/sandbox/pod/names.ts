import { names } from "../../api/annotations.ts";

/** Name of an attempt's pod. */
export function podName(taskName: string, attempt: number): string {
  return `${taskName}-sandbox-${attempt}`;
}

/** Name of an attempt's ConfigMap. */
export function contextName(taskName: string, attempt: number): string {
  return `${taskName}-context-${attempt}`;
}

/** Name of the network policy of a task's sandboxes. */
export function policyName(taskName: string): string {
  return `${taskName}-sandbox`;
}

/** Labels of a sandbox pod. */
export function sandboxLabels(taskName: string, attempt: number): Record<string, string> {
  return {
    [names.managedBy]: "bellhop",
    "app.kubernetes.io/component": "sandbox",
    [names.task]: taskName,
    [names.attempt]: String(attempt),
    // A service mesh would put a proxy between the sandbox and the broker, and the broker accepts only the pod's own address.
    "sidecar.istio.io/inject": "false",
  };
}

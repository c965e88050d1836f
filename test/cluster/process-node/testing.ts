import { readFileSync } from "node:fs";
import { pods, type Pod } from "../../../src/kube/resources.ts";
import type { Draft, KubeClient } from "../../../src/kube/types.ts";
import { eventually } from "../eventually.ts";
import type { Container, ContainerStatus, PodSpec } from "./types.ts";

/** Builds a pod for the process node; `spec` is added to the default spec. */
export function aPod(
  namespace: string,
  name: string,
  spec: Partial<PodSpec> & { containers: Container[] },
): Draft<Pod> {
  return {
    metadata: { name, namespace },
    spec: { schedulerName: "bellhop-process", restartPolicy: "Never", automountServiceAccountToken: false, ...spec },
  };
}

/** A container that runs a shell script. */
export function sh(name: string, script: string, more: Partial<Container> = {}): Container {
  return { name, image: "none", command: ["/bin/sh", "-c", script], ...more };
}

/** Waits until a pod meets a condition, and returns the pod. */
export function aPodThat(
  client: KubeClient,
  pod: Pod,
  describe: string,
  meets: (pod: Pod) => boolean,
  timeoutMs = 30_000,
): Promise<Pod> {
  const { name, namespace = "" } = pod.metadata;
  let seen: Pod | undefined;
  return eventually(
    async () => {
      seen = await client.get(pods, { name, namespace });
      if (!meets(seen)) throw new Error(`its status is ${JSON.stringify(seen.status)}`);
      return seen;
    },
    { describe: `pod ${name} ${describe}`, timeoutMs },
  );
}

/** Waits until a pod has ended. */
export function ended(client: KubeClient, pod: Pod): Promise<Pod> {
  return aPodThat(client, pod, "to end", ({ status }) => status?.phase === "Succeeded" || status?.phase === "Failed");
}

/** Waits until a pod's main containers run. */
export function running(client: KubeClient, pod: Pod): Promise<Pod> {
  return aPodThat(client, pod, "to run", ({ status }) => status?.phase === "Running");
}

/** Waits until a pod does not exist any more. */
export async function gone(client: KubeClient, pod: Pod): Promise<void> {
  const { name, namespace = "" } = pod.metadata;
  const describe = `pod ${name} to be gone`;
  await eventually(async () => (await client.find(pods, { name, namespace })) === undefined, { describe });
}

/** The status of one container: main, init or sidecar. */
export function statusOf(pod: Pod, container: string): ContainerStatus | undefined {
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return all.find(({ name }) => name === container);
}

/** Whether a process runs; zombies do not count. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

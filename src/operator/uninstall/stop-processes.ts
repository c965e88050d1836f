import { deployments, pods } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { sleep, type Clock } from "../../shared/clock.ts";

/** Gateways drain for at most 40 s, operators for 30 s; the rest is for the cluster's controllers. */
const boundMs = 90_000;
const everyMs = 500;
const labelSelector = "app.kubernetes.io/name=bellhop,app.kubernetes.io/component in (gateway,operator)";

/** Dependencies of `stopProcesses`. */
export interface StopDeps {
  client: Pick<KubeClient, "delete" | "list">;
  clock: Clock;
  /** Namespace of gateway and operator. */
  namespace: string;
}

/**
 * Deletes the Deployments of gateway and operator and waits until their pods are gone, so that nothing creates a task or adds a finalizer
 * any more. It deletes them instead of scaling them to zero, because `helm rollback` creates missing objects again but fails on a
 * `replicas` field that somebody else owns. Returns the pods that still exist after 90 s, for example on a lost node. Throws `ApiError`.
 */
export async function stopProcesses({ client, clock, namespace }: StopDeps, signal: AbortSignal): Promise<string[]> {
  for (const name of ["bellhop-gateway", "bellhop-operator"]) {
    await client.delete(deployments, { namespace, name }, { signal });
  }
  const startedMs = clock.monotonicMs();
  for (;;) {
    const { items } = await client.list(pods, { namespace, labelSelector, signal });
    const alive = items.filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
    if (alive.length === 0 || clock.monotonicMs() - startedMs >= boundMs)
      return alive.map(({ metadata }) => metadata.name);
    await sleep(clock, everyMs, signal);
  }
}

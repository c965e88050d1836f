import { manager, names } from "../../api/annotations.ts";
import { AgentTaskKind } from "../../api/kinds.ts";
import { hasFinalizer, removeFinalizer } from "../../kube/finalizers.ts";
import { pods, type Pod } from "../../kube/resources.ts";
import type { KubeConnection } from "../../kube/types.ts";
import { eachObject, type Tally } from "./each-object.ts";
import { defined } from "../../shared/defined.ts";

const labelSelector = `app.kubernetes.io/component=sandbox,${names.managedBy}=${manager}`;
const graceSeconds = 5;

/**
 * Deletes the running sandboxes, and removes our finalizer from all sandboxes: without an operator nothing else removes it, and then tasks
 * and namespaces with such a pod could not be deleted. Finished pods stay for inspection until their task is deleted. Throws `ApiError`.
 */
export async function endSandboxes(client: KubeConnection, signal: AbortSignal): Promise<Tally> {
  const end = async (pod: Pod): Promise<boolean> => {
    if (!isOfTask(pod)) return false;
    const { uid } = pod.metadata;
    const isOver = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (!isOver) {
      const options = { gracePeriodSeconds: graceSeconds, signal, ...defined({ uid }) };
      await client.delete(pods, pod.metadata, options);
    }
    if (hasFinalizer(pod, names.harvest)) await removeFinalizer(client, pods, pod, names.harvest);
    return !isOver;
  };
  const { items } = await client.list(pods, { labelSelector, signal });
  return eachObject(items, end, signal);
}

/** Anyone may set labels, so only pods that an AgentTask owns count as sandboxes. */
function isOfTask({ metadata }: Pod): boolean {
  const apiVersion = `${AgentTaskKind.group}/${AgentTaskKind.version}`;
  return (
    metadata.ownerReferences?.some((owner) => owner.kind === AgentTaskKind.kind && owner.apiVersion === apiVersion) ===
    true
  );
}

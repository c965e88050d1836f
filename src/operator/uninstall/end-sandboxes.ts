import { manager, names } from "../../api/annotations.ts";
import { AgentTaskKind } from "../../api/kinds.ts";
import { hasFinalizer, removeFinalizer } from "../../kube/finalizers.ts";
import { pods, type Pod } from "../../kube/resources.ts";
import type { KubeConnection } from "../../kube/types.ts";
import { eachObject, type Tally } from "./each-object.ts";

const labelSelector = `app.kubernetes.io/component=sandbox,${names.managedBy}=${manager}`;
const graceSeconds = 5;

/**
 * Deletes the sandboxes that run, and takes our finalizer from all of them: without an operator nothing else would, and neither tasks nor
 * namespaces with such a pod could be deleted. Pods that have ended stay for people to look at until their task goes. Throws `ApiError`.
 */
export async function endSandboxes(client: KubeConnection, signal: AbortSignal): Promise<Tally> {
  const end = async (pod: Pod): Promise<boolean> => {
    if (!isOfTask(pod)) return false;
    const { uid } = pod.metadata;
    const isOver = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (!isOver) {
      const options = { gracePeriodSeconds: graceSeconds, signal, ...(uid === undefined ? {} : { uid }) };
      await client.delete(pods, pod.metadata, options);
    }
    if (hasFinalizer(pod, names.harvest)) await removeFinalizer(client, pods, pod, names.harvest);
    return !isOver;
  };
  const { items } = await client.list(pods, { labelSelector, signal });
  return eachObject(items, end, signal);
}

/** Labels are anybody's to set: only what a task of ours owns is ours. */
function isOfTask({ metadata }: Pod): boolean {
  const apiVersion = `${AgentTaskKind.group}/${AgentTaskKind.version}`;
  return (
    metadata.ownerReferences?.some((owner) => owner.kind === AgentTaskKind.kind && owner.apiVersion === apiVersion) ===
    true
  );
}

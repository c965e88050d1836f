import { AgentTaskKind } from "../../api/kinds.ts";
import { resourceQuotas, type ResourceQuota } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { stalled, type Verdict } from "./conditions.ts";

const counted = `count/${AgentTaskKind.plural}.${AgentTaskKind.group}`;

/** Whether an object quota of the namespace leaves no room for another task: gateways answer 503 then, and a person has to make room. */
export async function quotaUsedUp(
  client: Pick<KubeClient, "list">,
  namespace: string,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const { items } = await client.list(resourceQuotas, { namespace, signal });
  const full = items.find(isFull);
  if (!full) return undefined;
  const most = full.status?.hard?.[counted];
  return stalled(
    "QuotaExceeded",
    `ResourceQuota ${namespace}/${full.metadata.name} allows ${most} AgentTasks, and all are used: new deliveries are answered 503. Raise ${counted}, or delete finished tasks.`,
  );
}

function isFull({ status }: ResourceQuota): boolean {
  const [hard, used] = [status?.hard?.[counted], status?.used?.[counted]];
  return hard !== undefined && used !== undefined && Number(used) >= Number(hard);
}

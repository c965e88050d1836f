import { AgentTaskKind } from "../../api/kinds.ts";
import { resourceQuotas, type ResourceQuota } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { stalled, type Verdict } from "./conditions.ts";

const counted = `count/${AgentTaskKind.plural}.${AgentTaskKind.group}`;

/** The `Stalled` verdict if an object quota of the namespace is used up. Gateways then answer 503, and an administrator has to act. */
export async function quotaUsedUp(
  client: Pick<KubeClient, "list">,
  namespace: string,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const { items } = await client.list(resourceQuotas, { namespace, signal });
  const full = items.find(isFull);
  if (!full) return undefined;
  const limit = full.status?.hard?.[counted];
  return stalled(
    "QuotaExceeded",
    `ResourceQuota ${namespace}/${full.metadata.name} allows ${limit} AgentTasks, and all are used: gateways answer new deliveries with 503. Raise ${counted}, or delete finished tasks.`,
  );
}

function isFull({ status }: ResourceQuota): boolean {
  const [hard, used] = [status?.hard?.[counted], status?.used?.[counted]];
  return hard !== undefined && used !== undefined && Number(used) >= Number(hard);
}

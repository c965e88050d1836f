import { AgentTaskKind } from "../../api/kinds.ts";
import { brokenRule } from "../../intake/decide.ts";
import type { Integration } from "../../integrations/integration.ts";
import { resourceQuotas, type ResourceQuota } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import type { IntegrationDeps } from "./deps.ts";
import { arrivesBySocket } from "./socket.ts";
import { stalled, type Verdict } from "./status.ts";

const counted = `count/${AgentTaskKind.plural}.${AgentTaskKind.group}`;

/** Pure: a fault that only an administrator can fix, found before the provider is called. */
export function stalledBy(
  deps: Pick<IntegrationDeps, "compileRule" | "config" | "source">,
  integration: Integration,
): Verdict | undefined {
  return badRule(deps, integration) ?? unknownURL(deps, integration);
}

function badRule({ compileRule }: Pick<IntegrationDeps, "compileRule">, integration: Integration): Verdict | undefined {
  const broken = brokenRule(integration.spec.triggers, compileRule);
  return broken && stalled(broken.reason, broken.message);
}

function unknownURL(
  { config, source }: Pick<IntegrationDeps, "config" | "source">,
  integration: Integration,
): Verdict | undefined {
  if (config.externalURL !== undefined || arrivesBySocket(source.provider, integration)) return undefined;
  return stalled(
    "ExternalURLUnknown",
    "the gateway's public URL is not configured; set the chart value `gateway.externalURL`",
  );
}

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

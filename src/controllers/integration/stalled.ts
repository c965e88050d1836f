import { brokenRule } from "../../intake/decide.ts";
import type { Integration } from "../../integrations/types.ts";
import { stalled, type Verdict } from "./conditions.ts";
import type { IntegrationDeps } from "./deps.ts";

/** Pure: a fault that only an administrator can fix, found before the provider is called. */
export function stalledBy(
  deps: Pick<IntegrationDeps, "compileRule" | "config">,
  integration: Integration,
): Verdict | undefined {
  return badRule(deps, integration) ?? unknownURL(deps, integration);
}

function badRule({ compileRule }: Pick<IntegrationDeps, "compileRule">, integration: Integration): Verdict | undefined {
  const broken = brokenRule(integration.spec.triggers, compileRule);
  return broken && stalled(broken.reason, broken.message);
}

function unknownURL({ config }: Pick<IntegrationDeps, "config">, _integration: Integration): Verdict | undefined {
  if (config.externalURL !== undefined) return undefined;
  return stalled(
    "ExternalURLUnknown",
    "the gateway's public URL is not configured; set the chart value `gateway.externalURL`",
  );
}

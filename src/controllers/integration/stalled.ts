import { brokenRule } from "../../intake/decide.ts";
import type { Integration } from "../../integrations/types.ts";
import { stalled, type Verdict } from "./conditions.ts";
import type { IntegrationDeps } from "./deps.ts";

/** Pure: what only a person can mend, before anything is asked of a provider. */
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
    "the installation does not say where providers reach the gateway; set the chart value `gateway.externalURL`",
  );
}

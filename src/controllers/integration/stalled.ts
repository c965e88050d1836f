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
  for (const trigger of integration.spec.triggers) {
    const compiled = trigger.when === undefined ? undefined : compileRule(trigger.when);
    if (compiled && !compiled.ok) {
      return stalled(
        "RuleTooExpensive",
        `triggers[${trigger.name}].when does not compile or costs too much: ${compiled.message}. Nothing rings until it is mended.`,
      );
    }
  }
  return undefined;
}

function unknownURL({ config }: Pick<IntegrationDeps, "config">, _integration: Integration): Verdict | undefined {
  if (config.externalURL !== undefined) return undefined;
  return stalled(
    "ExternalURLUnknown",
    "the installation does not say where providers reach the gateway; set the chart value `gateway.externalURL`",
  );
}

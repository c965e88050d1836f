import type { Installation } from "../../integrations/connection.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { IntegrationDeps } from "../integration/deps.ts";
import { installURLOf } from "./install-urls.ts";

/** A message names at most this many accounts. */
const maxNamed = 5;

/** Pure: in which of the allowed accounts the integration is not installed or does not work, and what to do; undefined if there are none. */
export function missingInstallations(
  { source: { provider }, config }: Pick<IntegrationDeps, "source" | "config">,
  integration: Integration,
  installations: readonly Installation[],
): string | undefined {
  const accounts = provider.install?.accounts(integration) ?? [];
  const known = new Map(installations.map((each) => [each.id, each]));
  const lacking = accounts.filter((id) => !known.has(id) || known.get(id)?.problem !== undefined);
  if (lacking.length === 0) return undefined;
  const named = lacking.slice(0, maxNamed).map((id) => describe(id, known.get(id)));
  const more = lacking.length > maxNamed ? `; and ${lacking.length - maxNamed} more` : "";
  const url = installURLOf(config.installBaseURL, provider, integration);
  const advice =
    url === undefined
      ? "the install pages are not served: set the chart value `installPages.enabled`, then an administrator of each opens status.installURL"
      : `an administrator of each opens ${url}`;
  return `not installed in ${named.join("; ")}${more}: ${advice}`;
}

function describe(id: string, installation: Installation | undefined): string {
  return installation?.problem === undefined ? id : `${installation.account} (${id}): ${installation.problem}`;
}

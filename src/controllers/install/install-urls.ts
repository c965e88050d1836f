import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";

/** The path of every page of the install flow. */
export const installPath = "/install";

/** The pages of one integration. */
export interface InstallURLs {
  /** Where an administrator begins. */
  start: string;
  /** The redirect URL of the provider's app. */
  callback: string;
}

/** The page at which an administrator installs the integration; undefined if it does not use the flow, or if the pages are not served. */
export function installURLOf(
  base: string | undefined,
  provider: Provider,
  integration: Integration,
): string | undefined {
  const isUsed = provider.install?.accounts(integration) !== undefined;
  return base !== undefined && isUsed ? installURLs(base, provider, integration).start : undefined;
}

/** The addresses of an integration's pages. `base`: the public URL of the pages, without a trailing slash. */
export function installURLs(base: string, { kind }: Pick<Provider, "kind">, integration: Integration): InstallURLs {
  const { namespace, name } = integration.metadata;
  const start = `${base}${installPath}/${kind.toLowerCase()}/${namespace}/${name}`;
  return { start, callback: `${start}/callback` };
}

import { codeHosts } from "./code-hosts.ts";
import { kindNames, type ObjectOf } from "./kind.ts";
import { SlackAppKind } from "./slack-app.ts";

/**
 * The integration kinds of all providers, by the provider's name: the code hosts, then chats and trackers. The schemas, the CRDs, the rights in
 * the chart and the type of the registry (`src/integrations/registry.ts`) are derived from this list.
 */
export const integrationKinds = { ...codeHosts, slack: SlackAppKind };

/** Names of the supported providers; also the name of the provider's folder and the value of `source.provider`. */
export type ProviderName = keyof typeof integrationKinds;

/** The kind of a provider's integrations. */
export type KindOf<Name extends ProviderName> = (typeof integrationKinds)[Name]["kind"];

/** An integration of a provider. */
export type IntegrationOf<Name extends ProviderName> = ObjectOf<(typeof integrationKinds)[Name]>;

/** The names of the integration kinds of all providers, for example for `integrationRef.kind`. */
export const integrationKindNames = kindNames(integrationKinds);

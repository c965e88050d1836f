import type { IntegrationOf, KindOf, ProviderName } from "../api/integration-kinds.ts";
import type { Connection } from "./connection.ts";
import type { Origin } from "./event.ts";
import type { Ingress, MappedRepository } from "./ingress.ts";
import type { Integration } from "./integration.ts";
import type { ConnectDeps, InstallFlow } from "./sign-in.ts";

/** One provider: a folder and a line in the registry. */
export interface Provider<I extends Integration = Integration> {
  name: ProviderName;
  /** The kind of its integration resources. */
  kind: KindOf<ProviderName>;
  ingress: Ingress<I>;
  /** Host name of the integration's server: Secrets are sent to it only. */
  host(integration: I): string;
  /** Whether the place that an event comes from lies inside the integration's spec. */
  covers(integration: I, origin: Origin): boolean;
  /** The repositories that the integration maps to places; for chats and trackers. Pure. */
  mappedRepositories?(integration: I): readonly MappedRepository[];
  /** The place of a conversation, as in `MappedRepository.places`. Pure. */
  placeOf?(conversation: string): string;
  /** Only of providers to which people can grant access in the browser. */
  install?: InstallFlow<I>;
  /** Signs in. It is cheap: the provider caches it per credentials. Throws `BellhopError` with a condition reason. */
  connect(integration: I, deps: ConnectDeps): Promise<Connection>;
}

/** The provider of this name, with its own kind of integration. */
export type ProviderOf<Name extends ProviderName> = Provider<IntegrationOf<Name>> & {
  name: Name;
  kind: KindOf<Name>;
};

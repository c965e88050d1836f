import type { Connection } from "../integrations/connection.ts";
import type { Integration } from "../integrations/integration.ts";
import type { Provider } from "../integrations/provider.ts";
import type { ConnectDeps } from "../integrations/sign-in.ts";
import type { KubeClient, ObjectKey } from "../kube/types.ts";
import { grantReader } from "./install/read-grants.ts";
import { secretReader } from "./secrets.ts";

/** An integration, its provider, and a function that connects to it. */
export interface IntegrationHandle {
  integration: Integration;
  provider: Provider;
  /** Signs in to the provider; cheap, because the provider caches. Throws `BellhopError` or `ProviderError`. */
  connect(): Promise<Connection>;
}

/** Finds the integration that created a task. */
export type FindIntegration = (ref: { kind: string; name: string; namespace: string }) => IntegrationHandle | undefined;

/** Dependencies of a sign-in, the same for every integration. */
export interface SignInDeps {
  client: KubeClient;
  clock: ConnectDeps["clock"];
  log: ConnectDeps["log"];
  fetch: ConnectDeps["fetch"];
  /** The operator's own namespace, which has the grants of install flows. */
  namespace: string;
}

/** One integration kind: its provider, and the cache of its objects. */
export interface IntegrationSource {
  provider: Provider;
  get(key: ObjectKey): Integration | undefined;
  list(): Integration[];
}

/** Creates the handle of an integration. */
export function integrationHandle(deps: SignInDeps, provider: Provider, integration: Integration): IntegrationHandle {
  const { client, clock, log, fetch } = deps;
  const readSecret = secretReader(client, integration.metadata.namespace);
  const connectDeps = { clock, log, fetch, readSecret, readGrants: grantReader(deps, provider, integration) };
  return { integration, provider, connect: () => provider.connect(integration, connectDeps) };
}

/** Finds integrations in the caches of all kinds. */
export function integrationFinder(deps: SignInDeps, sources: readonly IntegrationSource[]): FindIntegration {
  return ({ kind, name, namespace }) => {
    const source = sources.find(({ provider }) => provider.kind === kind);
    const integration = source?.get({ name, namespace });
    return source && integration && integrationHandle(deps, source.provider, integration);
  };
}

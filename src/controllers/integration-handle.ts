import type { Connection } from "../integrations/connection.ts";
import type { ConnectDeps, Integration, Provider } from "../integrations/types.ts";
import type { KubeClient, ObjectKey } from "../kube/types.ts";
import { secretReader } from "./secrets.ts";

/** An integration with the way to its provider. */
export interface IntegrationHandle {
  integration: Integration;
  provider: Provider;
  /** Signs in; cheap, cached by the provider. Throws `BellhopError` or `ProviderError`. */
  connect(): Promise<Connection>;
}

/** Finds the desk a task came through. */
export type FindIntegration = (ref: { kind: string; name: string; namespace: string }) => IntegrationHandle | undefined;

/** What signing in needs, for every integration alike. */
export interface SignInDeps {
  client: KubeClient;
  clock: ConnectDeps["clock"];
  log: ConnectDeps["log"];
  fetch: ConnectDeps["fetch"];
}

/** One integration kind: its provider, and the local copy of its objects. */
export interface IntegrationSource {
  provider: Provider;
  get(key: ObjectKey): Integration | undefined;
  list(): Integration[];
}

/** The desk of an integration. */
export function integrationHandle(deps: SignInDeps, provider: Provider, integration: Integration): IntegrationHandle {
  const connectDeps = { ...deps, readSecret: secretReader(deps.client, integration.metadata.namespace) };
  return { integration, provider, connect: () => provider.connect(integration, connectDeps) };
}

/** Looks desks up in the local copies. */
export function integrationFinder(deps: SignInDeps, sources: readonly IntegrationSource[]): FindIntegration {
  return ({ kind, name, namespace }) => {
    const source = sources.find(({ provider }) => provider.kind === kind);
    const integration = source?.get({ name, namespace });
    return source && integration && integrationHandle(deps, source.provider, integration);
  };
}

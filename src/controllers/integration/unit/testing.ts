import { aProvider } from "../../../integrations/testing.ts";
import type { Integration } from "../../../integrations/integration.ts";
import type { Provider } from "../../../integrations/provider.ts";
import { integrationType } from "../../../integrations/resource-type.ts";
import { createFakeClient } from "../../../kube/testing.ts";
import { FakeClock } from "../../../shared/fake-clock.ts";
import { silentLogger } from "../../../shared/log.ts";
import { unexpected } from "../../../shared/testing.ts";
import type { IntegrationSource } from "../../integration-handle.ts";
import { defaultIntegrationConfig, type IntegrationDeps } from "../deps.ts";
import { createOutages } from "../outages.ts";

/** A cache of these integrations. */
export function aSource(
  integrations: readonly Integration[] = [],
  provider: Provider = aProvider(),
): IntegrationSource {
  return {
    provider,
    get: ({ namespace, name }) =>
      integrations.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
    list: () => [...integrations],
  };
}

/**
 * Dependencies of a controller with an empty API server and no integration, profile, task or gateway. Every CEL rule compiles. No key is
 * published and nothing is fetched: a test gives the functions that it expects.
 */
export function integrationDeps(over: Partial<IntegrationDeps> = {}): IntegrationDeps {
  const { clock = new FakeClock(), source = aSource() } = over;
  return {
    client: createFakeClient({ clock }),
    clock,
    log: silentLogger,
    fetch: unexpected("fetch"),
    namespace: "bellhop",
    source,
    type: integrationType(source.provider),
    sources: [source],
    profiles: { get: () => undefined },
    tasks: { ofIntegration: () => [] },
    keys: { publish: unexpected("publish") },
    gateways: { generations: async () => [] },
    socketLease: () => undefined,
    publicNames: { of: unexpected("of") },
    outages: createOutages({ clock, log: silentLogger }),
    compileRule: () => ({ ok: true }),
    events: { record: () => {}, flush: async () => {} },
    config: { ...defaultIntegrationConfig, namespace: "bellhop", externalURL: "https://bellhop.example.com" },
    ...over,
  };
}

import { decodeFacts, gatewayFactsConfigMapName } from "../../intake/gateway-facts.ts";
import { configMaps } from "../../kube/resources.ts";
import type { GatewayKeysDeps, GatewayKeys } from "./gateway-keys.ts";
import { deleteHookSecret, hookSecretName } from "./hook-secret.ts";

/** What sweeping needs. */
export interface SweepDeps extends GatewayKeysDeps {
  keys: GatewayKeys;
}

/**
 * Takes away what integrations left that went without their finalizer (a forced deletion): route, hook Secret and facts, in this order, so that
 * what was begun is found again. The facts name the Secrets, as the operator may not list any. Hooks at the provider stay, as nothing is left
 * to sign in with.
 */
export async function sweepIntegrations(deps: SweepDeps, signal: AbortSignal): Promise<void> {
  const key = { namespace: deps.namespace, name: gatewayFactsConfigMapName };
  const facts = Object.entries((await deps.client.find(configMaps, key, signal))?.data ?? {});
  // Looked at after the facts: whoever they are of was known before they were written.
  const alive = deps.sources.flatMap(({ provider, ...source }) =>
    source.list().map((integration) => ({
      uid: integration.metadata.uid,
      hookSecret: hookSecretName(provider, integration),
    })),
  );
  const gone = facts.filter(([uid]) => !alive.some((each) => each.uid === uid));
  if (gone.length === 0) return;
  await deps.keys.publish(signal);
  for (const [uid, text] of gone) {
    const { hookSecret } = decodeFacts(text);
    const shared = alive.some((each) => each.hookSecret === hookSecret);
    if (hookSecret !== undefined && !shared) await deleteHookSecret(deps, hookSecret, signal);
    await deps.client.mergePatch(configMaps, key, { data: { [uid]: null } }, { signal });
    deps.log.warn({ uid, shared }, "took away what an integration left that went without its finalizer");
  }
}

import { decodeFacts, gatewayFactsConfigMapName } from "../../intake/gateway-facts.ts";
import { configMaps } from "../../kube/resources.ts";
import type { GatewayKeyPublisher, GatewayKeysDeps } from "./gateway-keys.ts";
import { deleteHookSecret, hookSecretName } from "./hook-secret.ts";

/** Dependencies of `sweepIntegrations`. */
export interface SweepDeps extends GatewayKeysDeps {
  keys: GatewayKeyPublisher;
}

/**
 * Cleans up after integrations that were deleted without their finalizer (a forced deletion). It removes route, hook Secret and facts, in
 * this order: an interrupted sweep finds the facts and continues. The facts name the Secrets, because the operator may not list Secrets.
 * Hooks at the provider stay, because no credentials are left to sign in with.
 */
export async function sweepIntegrations(deps: SweepDeps, signal: AbortSignal): Promise<void> {
  const key = { namespace: deps.namespace, name: gatewayFactsConfigMapName };
  const facts = Object.entries((await deps.client.find(configMaps, key, signal))?.data ?? {});
  // Read after the facts: an integration is in the cache before its facts are written.
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
    deps.log.warn(
      { uid, shared },
      "removed route, hook Secret and facts of an integration that was deleted without its finalizer",
    );
  }
}

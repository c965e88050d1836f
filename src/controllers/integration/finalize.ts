import { names } from "../../api/annotations.ts";
import { decodeFacts, gatewayFactsConfigMapName } from "../../intake/gateway-facts.ts";
import type { Integration } from "../../integrations/integration.ts";
import { removeFinalizer } from "../../kube/finalizers.ts";
import { configMaps } from "../../kube/resources.ts";
import { done, type Result } from "../../kube/types.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import { integrationHandle } from "../integration-handle.ts";
import { deleteGrantSecret } from "../install/grant-secret.ts";
import { removeGrants } from "../install/keep-grants.ts";
import { isTemporary, lacksAccess } from "../provider-failure.ts";
import type { IntegrationDeps } from "./deps.ts";
import { withdrawFacts } from "./gateway-facts.ts";
import type { GatewayKeyPublisher, GatewayKeysDeps } from "./gateway-keys.ts";
import { deleteHookSecret, hookSecretName, readHookSecret } from "./hook-secret.ts";
import { outlivedByHook } from "./members.ts";

const retryMs = 5_000;

/** Removes hooks and keys, then the finalizer. If the provider keeps refusing, records a Warning and gives up. */
export async function finalize(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<Result> {
  if (!integration.metadata.finalizers?.includes(names.finalizer)) return done;
  const secret = await readHookSecret(hookSecretDeps(deps), hookSecretName(deps.source.provider, integration), signal);
  const kept = outlivedByHook(deps.source, { integration, secret });
  if (!kept && !(await removeHooks(deps, integration, signal))) return { requeueAfterMs: retryMs };
  if (!kept) await deleteHookSecret(hookSecretDeps(deps), hookSecretName(deps.source.provider, integration), signal);
  if (!(await removeTokens(deps, integration, signal))) return { requeueAfterMs: retryMs };
  await deps.keys.publish(signal);
  await withdrawFacts(hookSecretDeps(deps), integration, signal);
  await removeFinalizer(deps.client, deps.type, integration, names.finalizer);
  deps.outages.forget(integration.metadata.uid ?? "");
  deps.log.info(
    { integration: integration.metadata.name, namespace: integration.metadata.namespace, kept },
    "integration removed",
  );
  return done;
}

async function removeHooks(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<boolean> {
  const known = integration.status?.hooks ?? [];
  // A manually managed hook has our address too, but is not ours to remove.
  const urls =
    deps.source.provider.ingress.webhook(integration).install === "Manual"
      ? []
      : await hookURLs(deps, integration, signal);
  if (known.length === 0 && urls.length === 0) return true;
  try {
    const connection = await integrationHandle(deps, deps.source.provider, integration).connect();
    await connection.hooks?.remove(known, urls, signal);
    return true;
  } catch (error) {
    return shouldGiveUp(deps, integration, error);
  }
}

/** Revokes and removes the tokens of the install flow. After the time-out they are removed although the provider does not answer. */
async function removeTokens(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<boolean> {
  const isFinal = waitedMs(deps, integration) >= deps.config.finalizeMs;
  try {
    await removeGrants(deps, { provider: deps.source.provider, integration, isFinal }, signal);
    return true;
  } catch (error) {
    if (!isTemporary(error)) throw error;
    deps.log.warn({ error, integration: integration.metadata.name }, "could not revoke tokens, will retry");
    return false;
  }
}

function waitedMs({ clock }: IntegrationDeps, { metadata }: Integration): number {
  return clock.now().getTime() - Date.parse(metadata.deletionTimestamp ?? "");
}

/** The URLs that our hooks may have: the current one, the one they were last set to, and the one in the status, as far as they are known. */
async function hookURLs(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<string[]> {
  const secret = await readHookSecret(hookSecretDeps(deps), hookSecretName(deps.source.provider, integration), signal);
  const { externalURL } = deps.config;
  const current = secret && externalURL !== undefined ? [`${externalURL}/hooks/${secret.route}`] : [];
  const former = [secret?.url, integration.status?.webhookURL].filter((url) => url !== undefined);
  return [...new Set([...current, ...former])];
}

/** True if a retry cannot help, or the time-out has passed; a Warning then says that hooks may be left at the provider. */
function shouldGiveUp(deps: IntegrationDeps, integration: Integration, error: unknown): boolean {
  const hopeless = lacksAccess(error) || (error instanceof BellhopError && error.code.startsWith("Secret"));
  if (!hopeless && waitedMs(deps, integration) < deps.config.finalizeMs) {
    deps.log.warn({ error, integration: integration.metadata.name }, "could not remove hooks, will retry");
    return false;
  }
  const message = `Could not remove the hooks at the provider: ${describeError(error)}. Remove them there.`;
  deps.log.warn({ error, integration: integration.metadata.name }, "gave up removing hooks");
  deps.events.record(integration, { type: "Warning", reason: "HooksLeftBehind", message, action: "Finalize" });
  return true;
}

function hookSecretDeps(deps: IntegrationDeps): { client: IntegrationDeps["client"]; namespace: string } {
  return { client: deps.client, namespace: deps.config.namespace };
}

/** Dependencies of `sweepIntegrations`. */
export interface SweepDeps extends GatewayKeysDeps {
  keys: GatewayKeyPublisher;
}

/**
 * Cleans up after integrations that were deleted without their finalizer (a forced deletion). It removes route, hook Secret, tokens and facts, in
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
    // Its tokens cannot be revoked: whether and where is not known any more.
    await deleteGrantSecret(deps, uid, signal);
    await deps.client.mergePatch(configMaps, key, { data: { [uid]: null } }, { signal });
    deps.log.warn(
      { uid, shared },
      "removed route, hook Secret and facts of an integration that was deleted without its finalizer",
    );
  }
}

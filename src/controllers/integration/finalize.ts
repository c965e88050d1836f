import { names } from "../../api/annotations.ts";
import { isProviderFailure } from "../../integrations/errors.ts";
import type { Integration } from "../../integrations/types.ts";
import { removeFinalizer } from "../../kube/finalizers.ts";
import { done, type Result } from "../../kube/types.ts";
import { BellhopError, describeError } from "../../shared/errors.ts";
import { integrationHandle } from "../integration-handle.ts";
import type { IntegrationDeps } from "./deps.ts";
import { withdrawFacts } from "./gateway-facts.ts";
import { deleteHookSecret, hookSecretName, readHookSecret } from "./hook-secret.ts";
import { outlivedByHook } from "./members.ts";

const againMs = 5_000;

/** Removes hooks and keys, then lets the object go. Gives up, saying so, where the provider will not have it. */
export async function finalize(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<Result> {
  if (!integration.metadata.finalizers?.includes(names.finalizer)) return done;
  const secret = await readHookSecret(where(deps), hookSecretName(deps.source.provider, integration), signal);
  const kept = outlivedByHook(deps.source, { integration, secret });
  if (!kept && !(await hooksRemoved(deps, integration, signal))) return { requeueAfterMs: againMs };
  if (!kept) await deleteHookSecret(where(deps), hookSecretName(deps.source.provider, integration), signal);
  await deps.keys.publish(signal);
  await withdrawFacts(where(deps), integration, signal);
  await removeFinalizer(deps.client, deps.type, integration, names.finalizer);
  deps.log.info(
    { integration: integration.metadata.name, namespace: integration.metadata.namespace, kept },
    "integration removed",
  );
  return done;
}

async function hooksRemoved(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<boolean> {
  const known = integration.status?.hooks ?? [];
  // A hook that a person keeps has our address too; it is theirs.
  const urls = integration.spec.webhook.install === "Manual" ? [] : await addresses(deps, integration, signal);
  if (known.length === 0 && urls.length === 0) return true;
  try {
    const connection = await integrationHandle(deps, deps.source.provider, integration).connect();
    await connection.installer?.remove(known, urls, signal);
    return true;
  } catch (error) {
    return givesUp(deps, integration, error);
  }
}

/** Where our hooks may point: the address of now, that which they were set to and that of the status, whichever of them is known. */
async function addresses(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<string[]> {
  const secret = await readHookSecret(where(deps), hookSecretName(deps.source.provider, integration), signal);
  const { externalURL } = deps.config;
  const current = secret && externalURL !== undefined ? [`${externalURL}/hooks/${secret.route}`] : [];
  const former = [secret?.url, integration.status?.webhookURL].filter((url) => url !== undefined);
  return [...new Set([...current, ...former])];
}

/** True where waiting will not help, or has been tried long enough: then a Warning says what is left behind. */
function givesUp(deps: IntegrationDeps, integration: Integration, error: unknown): boolean {
  const waitedMs = deps.clock.now().getTime() - Date.parse(integration.metadata.deletionTimestamp ?? "");
  const hopeless =
    isProviderFailure(error, "Unauthorized", "Forbidden", "NotFound", "Suspended") ||
    (error instanceof BellhopError && error.code.startsWith("Secret"));
  if (!hopeless && waitedMs < deps.config.finalizeMs) {
    deps.log.warn({ error, integration: integration.metadata.name }, "hooks could not be removed yet");
    return false;
  }
  const message = `hooks may be left behind at the provider; remove them there: ${describeError(error)}`;
  deps.log.warn({ error, integration: integration.metadata.name }, "gave up removing hooks");
  deps.events.record(integration, { type: "Warning", reason: "HooksLeftBehind", message, action: "Finalize" });
  return true;
}

function where(deps: IntegrationDeps): { client: IntegrationDeps["client"]; namespace: string } {
  return { client: deps.client, namespace: deps.config.namespace };
}

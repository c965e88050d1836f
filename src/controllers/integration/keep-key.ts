import type { Integration } from "../../integrations/types.ts";
import { isAlreadyExists, isConflict } from "../../kube/errors.ts";
import type { IntegrationDeps } from "./deps.ts";
import { hookSecretName, readHookSecret, writeHookSecret, type HookSecret } from "./hook-secret.ts";
import { planKeys, type KeyPlan } from "./key-plan.ts";
import { isMember, keyOwnerOf, ownsHook } from "./members.ts";

/** Whether the integration may use the hook that its spec names. If not, it must first sign in, to prove that it owns the App. */
export async function hasProven(
  deps: IntegrationDeps,
  integration: Integration,
  signal: AbortSignal,
): Promise<boolean> {
  const { provider } = deps.source;
  if (provider.sharedHook(integration) === undefined) return true;
  const secret = await readHookSecret(hookSecretDeps(deps), hookSecretName(provider, integration), signal);
  return isMember(deps.source, { integration, secret });
}

/** Several integrations of one App may write the shared Secret at the same time. */
const attempts = 4;

/** Creates, rotates or prunes the keys of an integration that owns its hook, and stores the proof of ownership with them. */
export async function keepKey(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<KeyPlan> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryKeepKey(deps, integration, signal);
    } catch (error) {
      // Another reconcile wrote the Secret since it was read: read it and plan again.
      if (attempt === attempts || !(isConflict(error) || isAlreadyExists(error))) throw error;
    }
  }
}

async function tryKeepKey(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<KeyPlan> {
  const { source, config } = deps;
  const name = hookSecretName(source.provider, integration);
  const found = await readHookSecret(hookSecretDeps(deps), name, signal);
  const stored = found && withProof(deps, integration, found);
  const facts = {
    integration,
    stored,
    owns: ownsHook(source, { integration, secret: stored }),
    lastHandledRotateAt: integration.status?.lastHandledRotateAt,
  };
  const plan = planKeys(facts, config.retryWindowMs, deps.clock.now());
  const secret = withProof(deps, integration, plan.secret);
  const owner = keyOwnerOf(source, { integration, secret });
  // Integrations that share a key write only their proof; the key itself is written by its owner.
  const wanted = stored && owner.metadata.uid !== integration.metadata.uid ? stored : secret;
  if (wanted === found) return { ...plan, secret: wanted };
  const ownerUID = owner.metadata.uid ?? "";
  return { ...plan, secret: await writeHookSecret(hookSecretDeps(deps), name, { secret: wanted, ownerUID }, signal) };
}

/** Adds the proof by uid: an integration that is recreated under the same name has to prove ownership again. Proofs of deleted integrations are pruned. */
function withProof({ source }: IntegrationDeps, integration: Integration, secret: HookSecret): HookSecret {
  if (isMember(source, { integration, secret })) return secret;
  const alive = new Set(source.list().map(({ metadata }) => metadata.uid));
  return {
    ...secret,
    proven: [...secret.proven.filter((uid) => alive.has(uid)), integration.metadata.uid ?? ""],
  };
}

function hookSecretDeps({ client, config }: IntegrationDeps): { client: IntegrationDeps["client"]; namespace: string } {
  return { client, namespace: config.namespace };
}

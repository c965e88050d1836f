import type { Integration } from "../../integrations/types.ts";
import { isAlreadyExists, isConflict } from "../../kube/errors.ts";
import type { IntegrationDeps } from "./deps.ts";
import { hookSecretName, readHookSecret, writeHookSecret, type HookSecret } from "./hook-secret.ts";
import { planKeys, type KeyPlan } from "./key-plan.ts";
import { isMember, keyOwnerOf, ownsHook } from "./members.ts";

/** Whether the integration may use the hook that its spec names, or has to sign in first to show that the App is its own. */
export async function hasProven(
  deps: IntegrationDeps,
  integration: Integration,
  signal: AbortSignal,
): Promise<boolean> {
  const { provider } = deps.source;
  if (provider.sharedHook(integration) === undefined) return true;
  const secret = await readHookSecret(where(deps), hookSecretName(provider, integration), signal);
  return isMember(deps.source, { integration, secret });
}

/** Several integrations of one App may begin at once. */
const attempts = 4;

/** Keeps the route and the key of an integration that has proven the hook to be its own, and remembers the proof with them. */
export async function keepKey(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<KeyPlan> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryKeep(deps, integration, signal);
    } catch (error) {
      // Somebody else wrote it since it was read: what is there now is planned with.
      if (attempt === attempts || !(isConflict(error) || isAlreadyExists(error))) throw error;
    }
  }
}

async function tryKeep(deps: IntegrationDeps, integration: Integration, signal: AbortSignal): Promise<KeyPlan> {
  const { source, config } = deps;
  const name = hookSecretName(source.provider, integration);
  const found = await readHookSecret(where(deps), name, signal);
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
  // Beside their proof, those that share a key leave it to its owner.
  const wanted = stored && owner.metadata.uid !== integration.metadata.uid ? stored : secret;
  if (wanted === found) return { ...plan, secret: wanted };
  const ownerUID = owner.metadata.uid ?? "";
  return { ...plan, secret: await writeHookSecret(where(deps), name, { secret: wanted, ownerUID }, signal) };
}

/** Remembered by uid, so that an integration made anew under the same name proves itself anew; those that are gone are forgotten. */
function withProof({ source }: IntegrationDeps, integration: Integration, secret: HookSecret): HookSecret {
  if (isMember(source, { integration, secret })) return secret;
  const alive = new Set(source.list().map(({ metadata }) => metadata.uid));
  return {
    ...secret,
    proven: [...secret.proven.filter((uid) => alive.has(uid)), integration.metadata.uid ?? ""],
  };
}

function where({ client, config }: IntegrationDeps): { client: IntegrationDeps["client"]; namespace: string } {
  return { client, namespace: config.namespace };
}

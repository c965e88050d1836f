import { names } from "../../api/annotations.ts";
import type { WebhookSettings } from "../../integrations/ingress.ts";
import type { Integration } from "../../integrations/integration.ts";
import { isAlreadyExists, isConflict } from "../../kube/errors.ts";
import type { IntegrationDeps } from "./deps.ts";
import {
  hookSecretName,
  newHookSecret,
  readHookSecret,
  rotated,
  writeHookSecret,
  type HookSecret,
} from "./hook-secret.ts";
import { isMember, keyOwnerOf, ownsHook, withProof } from "./members.ts";
import { installed, type Verdict } from "./status.ts";

/** Several integrations of one App may write the shared Secret at the same time. */
const attempts = 4;

/** The desired hook secret. */
export interface KeyPlan {
  secret: HookSecret;
  /** Whether `secret` differs from the stored one. */
  write: boolean;
  /** The rotation request that this plan handles, for `status.lastHandledRotateAt`. */
  handled?: string;
  /** Human-readable: why the request is refused. The integration does not install the hook. */
  refused?: string;
  /** Human-readable: when the requested rotation starts, if it has to wait. */
  pending?: string;
}

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
  const stored = found && withProof(source, integration, found);
  const facts = {
    integration,
    webhook: source.provider.ingress.webhook(integration),
    stored,
    owns: ownsHook(source, { integration, secret: stored }),
    lastHandledRotateAt: integration.status?.lastHandledRotateAt,
  };
  const plan = planKeys(facts, config.retryWindowMs, deps.clock.now());
  const secret = withProof(source, integration, plan.secret);
  const owner = keyOwnerOf(source, { integration, secret });
  // Integrations that share a key write only their proof; the key itself is written by its owner.
  const wanted = stored && owner.metadata.uid !== integration.metadata.uid ? stored : secret;
  if (wanted === found) return { ...plan, secret: wanted };
  const ownerUID = owner.metadata.uid ?? "";
  return { ...plan, secret: await writeHookSecret(hookSecretDeps(deps), name, { secret: wanted, ownerUID }, signal) };
}

/** Whether the integration may use the hook that its spec names. If not, it must first sign in, to prove that it owns the App. */
export async function hasProven(
  deps: IntegrationDeps,
  integration: Integration,
  signal: AbortSignal,
): Promise<boolean> {
  const { provider } = deps.source;
  if (provider.ingress.webhook(integration).sharedBy === undefined) return true;
  const secret = await readHookSecret(hookSecretDeps(deps), hookSecretName(provider, integration), signal);
  return isMember(deps.source, { integration, secret });
}

function hookSecretDeps({ client, config }: IntegrationDeps): { client: IntegrationDeps["client"]; namespace: string } {
  return { client, namespace: config.namespace };
}

/** Pure: creates the first key, creates the next one when a rotation is requested, and drops the previous one when no delivery can be signed with it any more. */
export function planKeys(
  facts: {
    integration: Integration;
    webhook: WebhookSettings;
    lastHandledRotateAt: string | undefined;
    stored: HookSecret | undefined;
    owns: boolean;
  },
  retryWindowMs: number,
  now: Date,
): KeyPlan {
  const { webhook, stored, owns } = facts;
  const request = rotationRequest(facts);
  if (!stored) return { secret: newHookSecret(now, request.handled), write: true, ...request };
  // The key was rotated, but a crash kept the status from being written.
  if (request.handled !== undefined && request.handled === stored.requestedAt) {
    return { secret: stored, write: false, ...request };
  }
  const refused = request.handled === undefined ? undefined : refusal(webhook, owns);
  const kept = withoutExpired({ webhook, stored }, retryWindowMs, now);
  if (refused !== undefined) return { ...kept, ...request, refused };
  // One rotation at a time: a key that the provider does not sign with yet is not replaced, and a key that it may still use is not dropped.
  if (request.handled === undefined) return kept;
  const pending = pendingReason(stored, retryWindowMs, now);
  if (pending !== undefined) return { secret: stored, write: false, pending };
  return { secret: rotated(stored, request.handled, now), write: true, ...request };
}

function pendingReason(stored: HookSecret, retryWindowMs: number, now: Date): string | undefined {
  if (!isSettled(stored)) return "starts when every known hook has the current key";
  const until = inUseUntil(stored, retryWindowMs, now)?.toISOString();
  return until && `starts at ${until}: until then deliveries may be signed with the previous key`;
}

function refusal({ install, manually, acceptedKeysPath }: WebhookSettings, owns: boolean): string | undefined {
  if (install === "Manual") {
    return `${manually}: change its secret at the provider and in the Secret of ${acceptedKeysPath}`;
  }
  return owns ? undefined : "another integration installs the shared hook: request the rotation there";
}

function isSettled({ installed, generation }: HookSecret): boolean {
  return installed >= generation;
}

/** Drops the previous key when no delivery can be signed with it any more: every hook has the current key, or the hook is now managed manually. */
function withoutExpired(
  { webhook, stored }: { webhook: WebhookSettings; stored: HookSecret },
  retryWindowMs: number,
  now: Date,
): KeyPlan {
  const { previous, ...rest } = stored;
  const manual = stored.installed === 0 && webhook.install === "Manual";
  const settled = isSettled(stored) || manual;
  const expired = previous !== undefined && settled && !inUseUntil(stored, retryWindowMs, now);
  return expired ? { secret: rest, write: true } : { secret: stored, write: false };
}

/** Until when the previous key is needed: the longest retry window of a provider, counted from the last time it may have signed with that key. */
function inUseUntil(stored: HookSecret, retryWindowMs: number, now: Date): Date | undefined {
  const changed = [stored.installedAt ?? stored.rotatedAt, stored.rotatedAt].map((at) => Date.parse(at));
  const end = Math.max(...changed) + retryWindowMs;
  return stored.previous !== undefined && now.getTime() <= end ? new Date(end) : undefined;
}

function rotationRequest(facts: { integration: Integration; lastHandledRotateAt: string | undefined }): {
  handled?: string;
} {
  const requested = facts.integration.metadata.annotations?.[names.rotateRequestedAt];
  const at = Date.parse(requested ?? "");
  if (requested === undefined || Number.isNaN(at)) return {};
  const last = Date.parse(facts.lastHandledRotateAt ?? "");
  return Number.isNaN(last) || at > last ? { handled: new Date(at).toISOString() } : {};
}

/** Pure: adds to the verdict on hooks that a requested rotation is pending; a verdict that is not True keeps its reason. */
export function withPending(verdict: Verdict, pending: string | undefined): Verdict {
  if (pending === undefined) return verdict;
  const message = `${verdict.message.replace(/\.?$/, ".")} The requested rotation ${pending}.`;
  return verdict.status === "True" ? installed("RotationPending", message) : { ...verdict, message };
}

/** Results of one installation. */
export interface Keyed {
  /** Hooks that have the current key now. */
  done: readonly { target: string }[];
  /** Our hooks that could not be reached: they still sign with the key they had. */
  left: readonly { target: string }[];
}

/** Pure: whether the hook of a target has the current key, as far as we set it. */
export function hasKey({ keyed, generation }: HookSecret, target: string): boolean {
  return keyed?.[target] === generation;
}

/**
 * Pure: the hook secret after an installation. Our hooks that could not be reached keep the new key from counting as installed, because they
 * may still sign with the previous one. A target that never had a hook of ours does not.
 */
export function afterInstall(secret: HookSecret, { done, left }: Keyed, now: Date): HookSecret {
  const { generation } = secret;
  const keyed = Object.fromEntries([
    ...left.flatMap(({ target }) => (secret.keyed?.[target] === undefined ? [] : [[target, secret.keyed[target]]])),
    ...done.map(({ target }) => [target, generation]),
  ]) as Record<string, number>;
  const { keyed: _before, ...rest } = secret;
  // The same form as when it is read, so that an unchanged secret is not written.
  const next = Object.keys(keyed).length === 0 ? rest : { ...rest, keyed };
  const everywhere = done.length > 0 && left.every(({ target }) => keyed[target] === generation);
  if (!everywhere || secret.installed >= generation) return next;
  return { ...next, installed: generation, installedAt: now.toISOString() };
}

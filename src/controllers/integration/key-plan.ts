import { names } from "../../api/annotations.ts";
import type { Integration } from "../../integrations/types.ts";
import { installed, type Verdict } from "./conditions.ts";
import { newHookSecret, rotated, type HookSecret } from "./hook-secret.ts";

/** Pure: what the hook secret should be now. */
export interface KeyPlan {
  secret: HookSecret;
  /** Whether it differs from what is stored. */
  write: boolean;
  /** The request that this plan carries out, for `status.lastHandledRotateAt`. */
  handled?: string;
  /** Why the request is not carried out, for people: this integration keeps no hook of its own. */
  refused?: string;
  /** A rotation was asked for that does not begin yet: when it does, for people. */
  waits?: string;
}

/** Makes the first key, the next one when a rotation is asked for, and drops the previous one when nobody can be using it any more. */
export function planKeys(
  facts: {
    integration: Integration;
    lastHandledRotateAt: string | undefined;
    stored: HookSecret | undefined;
    owns: boolean;
  },
  retryWindowMs: number,
  now: Date,
): KeyPlan {
  const { integration, stored, owns } = facts;
  const request = asked(facts);
  if (!stored) return { secret: newHookSecret(now, request.handled), write: true, ...request };
  // Carried out before a crash that kept it from being noted.
  if (request.handled !== undefined && request.handled === stored.requestedAt) {
    return { secret: stored, write: false, ...request };
  }
  const refused = request.handled === undefined ? undefined : refusal(integration, owns);
  const kept = withoutExpired({ integration, stored }, retryWindowMs, now);
  if (refused !== undefined) return { ...kept, ...request, refused };
  // One rotation at a time: neither a key that the provider does not sign with yet is replaced, nor one dropped that it may still use.
  if (request.handled === undefined) return kept;
  const waits = waiting(stored, retryWindowMs, now);
  if (waits !== undefined) return { secret: stored, write: false, waits };
  return { secret: rotated(stored, request.handled, now), write: true, ...request };
}

function waiting(stored: HookSecret, retryWindowMs: number, now: Date): string | undefined {
  if (!isSettled(stored)) return "begins once every hook that is known has the key before it";
  const until = inUseUntil(stored, retryWindowMs, now)?.toISOString();
  return until && `begins at ${until}: until then deliveries may come that the key before this one signed`;
}

function refusal({ spec }: Integration, owns: boolean): string | undefined {
  if (spec.webhook.install === "Manual") {
    return "a person keeps the hook: change its secret at the provider, and in the Secret of spec.webhook.acceptedKeysRef";
  }
  return owns ? undefined : "another integration keeps the hook that they share: ask for the rotation there";
}

/** Pure: the verdict on hooks, which says so where the next rotation waits; what is wrong with them keeps its reason. */
export function withPending(verdict: Verdict, waits: string | undefined): Verdict {
  if (waits === undefined) return verdict;
  const message = `${verdict.message.replace(/\.?$/, ".")} The rotation that was asked for ${waits}.`;
  return verdict.status === "True" ? installed("RotationPending", message) : { ...verdict, message };
}

function isSettled({ installed, generation }: HookSecret): boolean {
  return installed >= generation;
}

/** The previous key goes when nothing that it signed can come any more: every hook has the current one, or a person took ours away. */
function withoutExpired(
  { integration, stored }: { integration: Integration; stored: HookSecret },
  retryWindowMs: number,
  now: Date,
): KeyPlan {
  const { previous, ...rest } = stored;
  const byHand = stored.installed === 0 && integration.spec.webhook.install === "Manual";
  const settled = isSettled(stored) || byHand;
  const expired = previous !== undefined && settled && !inUseUntil(stored, retryWindowMs, now);
  return expired ? { secret: rest, write: true } : { secret: stored, write: false };
}

/** Until when the previous key is needed: the longest window in which a provider retries, from when it last signed with it. */
function inUseUntil(stored: HookSecret, retryWindowMs: number, now: Date): Date | undefined {
  const changed = [stored.installedAt ?? stored.rotatedAt, stored.rotatedAt].map((at) => Date.parse(at));
  const end = Math.max(...changed) + retryWindowMs;
  return stored.previous !== undefined && now.getTime() <= end ? new Date(end) : undefined;
}

function asked(facts: { integration: Integration; lastHandledRotateAt: string | undefined }): { handled?: string } {
  const requested = facts.integration.metadata.annotations?.[names.rotateRequestedAt];
  const at = Date.parse(requested ?? "");
  if (requested === undefined || Number.isNaN(at)) return {};
  const last = Date.parse(facts.lastHandledRotateAt ?? "");
  return Number.isNaN(last) || at > last ? { handled: new Date(at).toISOString() } : {};
}

import type { HookSecret } from "./hook-secret.ts";

/** What became of the hooks in one go. */
export interface Keyed {
  /** They have the current key now. */
  done: readonly { target: string }[];
  /** Hooks of ours that could not be reached: they sign with what they had. */
  left: readonly { target: string }[];
}

/** Pure: whether the hook at a target has the current key, as far as we set it. */
export function hasKey({ keyed, generation }: HookSecret, target: string): boolean {
  return keyed?.[target] === generation;
}

/**
 * Pure: the hook secret once some hooks have its key. Those of ours that could not be reached hold it back, since the key before may
 * sign what they send; a place that never had a hook of ours does not.
 */
export function afterInstall(secret: HookSecret, { done, left }: Keyed, now: Date): HookSecret {
  const { generation } = secret;
  const keyed = Object.fromEntries([
    ...left.flatMap(({ target }) => (secret.keyed?.[target] === undefined ? [] : [[target, secret.keyed[target]]])),
    ...done.map(({ target }) => [target, generation]),
  ]) as Record<string, number>;
  const { keyed: _before, ...rest } = secret;
  // As it is read again: nothing is written where nothing was done.
  const next = Object.keys(keyed).length === 0 ? rest : { ...rest, keyed };
  const everywhere = done.length > 0 && left.every(({ target }) => keyed[target] === generation);
  if (!everywhere || secret.installed >= generation) return next;
  return { ...next, installed: generation, installedAt: now.toISOString() };
}

import type { HookSecret } from "./hook-secret.ts";

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

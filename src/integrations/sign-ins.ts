import { createHash } from "node:crypto";
import type { ConnectDeps } from "./sign-in.ts";

/** The most sign-ins that a process keeps for one provider. */
export const maxSignIns = 256;

/**
 * Returns the sign-in with these credentials at this server, or creates it. A connection is made for each reconcile, so that what lives with a
 * sign-in (client, pauses, rates, caches) has to outlive the connection, and integrations with the same credentials share it. `identity` has
 * everything that makes two sign-ins different: the URL of the server, the account and the secret.
 */
export type SignIns<S> = (deps: Pick<ConnectDeps, "fetch">, identity: readonly string[], create: () => S) => S;

/**
 * Creates an empty cache of sign-ins. Sign-ins of different `fetch` are separate: a client keeps the `fetch` that it was created with. If there are
 * too many, the one that was unused for the longest time is dropped. The cache keeps a hash of the secret; `S` may hold the secret itself.
 */
export function createSignIns<S>(): SignIns<S> {
  const caches = new WeakMap<typeof fetch, Map<string, S>>();
  return ({ fetch }, identity, create) => {
    const cache = caches.get(fetch) ?? new Map<string, S>();
    caches.set(fetch, cache);
    const id = hash(identity);
    const signIn = cache.has(id) ? (cache.get(id) as S) : create();
    cache.delete(id);
    cache.set(id, signIn);
    const [unused] = cache.keys();
    if (cache.size > maxSignIns && unused !== undefined) cache.delete(unused);
    return signIn;
  };
}

function hash(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

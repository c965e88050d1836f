import type { Pod } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { sleep, systemClock } from "../../../src/shared/clock.ts";
import type { Logger } from "../../../src/shared/log.ts";
import { mintToken, type TokenRequest } from "./token.ts";

const retryMs = 5000;

/** Dependencies of the renewal of tokens. */
export interface TokenDeps {
  client: KubeClient;
  log: Logger;
  /** Tokens older than this are renewed, even if they are still valid for long. */
  maxAgeMs: number;
}

/** Mints every token of a pod, and renews each until `signal` aborts. Rejects if one of the first tokens cannot be minted. */
export async function keepTokens(
  deps: TokenDeps,
  pod: Pod,
  requests: TokenRequest[],
  signal: AbortSignal,
): Promise<void> {
  for (const request of requests) {
    const { lifetimeMs } = await mintToken(deps.client, pod, request);
    void renew(deps, { pod, request, lifetimeMs }, signal);
  }
}

async function renew(
  deps: TokenDeps,
  held: { pod: Pod; request: TokenRequest; lifetimeMs: number },
  signal: AbortSignal,
): Promise<void> {
  let waitMs = Math.min(held.lifetimeMs, deps.maxAgeMs);
  while (await waited(waitMs, signal)) {
    try {
      const { lifetimeMs } = await mintToken(deps.client, held.pod, held.request);
      waitMs = Math.min(lifetimeMs, deps.maxAgeMs);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({ error, pod: held.pod.metadata.name }, "could not renew a pod's token, trying again");
      waitMs = Math.min(retryMs, deps.maxAgeMs);
    }
  }
}

/** Waits; returns false if `signal` ended the wait early. */
export function waited(delayMs: number, signal: AbortSignal): Promise<boolean> {
  return sleep(systemClock, delayMs, signal).then(
    () => true,
    () => false,
  );
}

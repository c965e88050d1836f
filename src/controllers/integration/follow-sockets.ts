import { isDeepStrictEqual } from "node:util";
import type { Integration } from "../../integrations/integration.ts";
import { requestOf } from "../../kube/controller.ts";
import type { KubeObject, Reconciler, Request } from "../../kube/types.ts";
import type { Clock } from "../../shared/clock.ts";
import type { IntegrationSource } from "../integration-handle.ts";
import type { IntegrationDeps } from "./deps.ts";
import { socketVerdict } from "./socket.ts";

/** A holder that died writes nothing more, so the reports are also read without a change of the Lease. */
const readEveryMs = 15_000;

/** Dependencies of `socketFollower`. */
export interface SocketFollowerDeps extends Pick<IntegrationDeps, "socketLease"> {
  sources: readonly IntegrationSource[];
  clock: Clock;
  /** Reconciles an integration of a kind. */
  enqueue(kind: string, request: Request): void;
}

/**
 * Reconciles the integrations whose connection a gateway reports differently than before. The Lease is renewed every two seconds; without this
 * comparison each renewal would sign in to the provider.
 */
export function socketFollower(deps: SocketFollowerDeps): Reconciler {
  let known = new Map<string, unknown>();
  return async () => {
    const next = new Map<string, unknown>();
    for (const { provider, ...source } of deps.sources) {
      for (const integration of source.list()) {
        const settings = provider.ingress.socket?.settings(integration);
        if (!settings) continue;
        const { uid = "" } = integration.metadata;
        const verdict = socketVerdict({ lease: deps.socketLease(), uid, name: settings.name }, deps.clock.now());
        next.set(uid, verdict);
        if (!isDeepStrictEqual(known.get(uid), verdict)) deps.enqueue(provider.kind, requestOf(asObject(integration)));
      }
    }
    known = next;
    return next.size > 0 ? { requeueAfterMs: readEveryMs } : {};
  };
}

function asObject(integration: Integration): KubeObject {
  return { metadata: integration.metadata };
}

import type { Integration } from "../../integrations/types.ts";
import { requestOf } from "../../kube/controller.ts";
import type { Change, KubeObject, Request } from "../../kube/types.ts";
import type { IntegrationSource } from "../integration-handle.ts";

/**
 * The integrations to reconcile because another one with the same hook changed: their conditions repeat those of the integration that
 * installs the hook, and which one that is depends on all of them. A change of an integration that only shares the hook reconciles no other;
 * otherwise many of them would reconcile each other in a loop.
 */
export function sharersOf(
  source: IntegrationSource,
): <T extends Integration & KubeObject>(change: Change<T>) => Request[] {
  return ({ old, current, initial }) => {
    if (initial || sharedFacts(source, old) === sharedFacts(source, current)) return [];
    const changed = [old, current].flatMap((each) => each ?? []);
    const hooks = new Set(changed.flatMap((each) => source.provider.sharedHook(each) ?? []));
    const uid = changed[0]?.metadata.uid;
    return source
      .list()
      .filter((other) => other.metadata.uid !== uid && hooks.has(source.provider.sharedHook(other) ?? ""))
      .map((other) => requestOf(other));
  };
}

/** The facts of an integration that others with the same hook depend on, as text to compare. */
function sharedFacts({ provider }: IntegrationSource, integration: Integration | undefined): string {
  if (!integration || integration.metadata.deletionTimestamp !== undefined) return "";
  const installed = integration.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  if (!installed || installed.reason === "SharedHook") return "";
  const { install } = integration.spec.webhook;
  return JSON.stringify([provider.sharedHook(integration), install, installed.status, installed.message]);
}

import type { Integration } from "../../integrations/types.ts";
import { requestOf } from "../../kube/controller.ts";
import type { Change, KubeObject, Request } from "../../kube/types.ts";
import type { IntegrationSource } from "../integration-handle.ts";

/**
 * The integrations to look at again because of another one with the same hook: they tell what its keeper says, and who that is follows from
 * all of them. Those that share a hook and do not keep it concern nobody, so that many of them do not wake each other in rounds.
 */
export function sharersOf(
  source: IntegrationSource,
): <T extends Integration & KubeObject>(change: Change<T>) => Request[] {
  return ({ old, current, initial }) => {
    if (initial || telling(source, old) === telling(source, current)) return [];
    const changed = [old, current].flatMap((each) => each ?? []);
    const hooks = new Set(changed.flatMap((each) => source.provider.sharedHook(each) ?? []));
    const uid = changed[0]?.metadata.uid;
    return source
      .list()
      .filter((other) => other.metadata.uid !== uid && hooks.has(source.provider.sharedHook(other) ?? ""))
      .map((other) => requestOf(other));
  };
}

/** What of an integration the others with its hook go by; the same text where nothing of it changed. */
function telling({ provider }: IntegrationSource, integration: Integration | undefined): string {
  if (!integration || integration.metadata.deletionTimestamp !== undefined) return "";
  const installed = integration.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  if (!installed || installed.reason === "SharedHook") return "";
  const { install } = integration.spec.webhook;
  return JSON.stringify([provider.sharedHook(integration), install, installed.status, installed.message]);
}

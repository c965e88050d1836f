import type { Integration } from "../../integrations/types.ts";
import type { IntegrationSource } from "../desk.ts";

/** The integrations that share a hook with this one, itself included, oldest first; only itself where each has its own. */
export function membersOf(source: IntegrationSource, integration: Integration): Integration[] {
  const shared = source.provider.sharedHook(integration);
  if (shared === undefined) return [integration];
  return source
    .list()
    .filter((other) => source.provider.sharedHook(other) === shared && other.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => age(a).localeCompare(age(b)));
}

/** Who else shares the hook, and keeps it when this integration goes. */
export function heirsOf(source: IntegrationSource, integration: Integration): Integration[] {
  return membersOf(source, integration).filter(({ metadata }) => metadata.uid !== integration.metadata.uid);
}

/** Who installs the shared hook: the oldest that lets us; undefined where a person keeps it for all. */
export function keeperOf(source: IntegrationSource, integration: Integration): Integration | undefined {
  return membersOf(source, integration).find(({ spec }) => spec.webhook.install === "Auto");
}

/** Whether this integration keeps the hook. */
export function ownsHook(source: IntegrationSource, integration: Integration): boolean {
  return keeperOf(source, integration)?.metadata.uid === integration.metadata.uid;
}

function age({ metadata }: Integration): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

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

/** Whether the shared hook belongs to this integration: the oldest keeps it. */
export function ownsHook(source: IntegrationSource, integration: Integration): boolean {
  const [oldest] = membersOf(source, integration);
  return oldest === undefined || oldest.metadata.uid === integration.metadata.uid;
}

function age({ metadata }: Integration): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

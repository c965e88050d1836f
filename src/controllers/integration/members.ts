import type { Integration } from "../../integrations/types.ts";
import type { IntegrationSource } from "../integration-handle.ts";
import type { HookSecret } from "./hook-secret.ts";

/** An integration with the stored secret of its hook. */
export interface Sharer {
  integration: Integration;
  /** Undefined before the first key is created. */
  secret: Pick<HookSecret, "proven"> | undefined;
}

/**
 * Whether an integration may use the hook that its spec names. An App's id is public, so an integration that names it shares the App's hook
 * only after it signed in with the App's private key. A hook that is not shared needs no proof.
 */
export function isMember(source: Pick<IntegrationSource, "provider">, { integration, secret }: Sharer): boolean {
  if (source.provider.sharedHook(integration) === undefined) return true;
  return secret?.proven.includes(integration.metadata.uid ?? "") === true;
}

/**
 * The integrations that share a hook with this one, including itself, oldest first; only itself if hooks are not shared. It is itself
 * missing until it has signed in with the App's key.
 */
export function membersOf(source: IntegrationSource, { integration, secret }: Sharer): Integration[] {
  const shared = source.provider.sharedHook(integration);
  if (shared === undefined) return [integration];
  return source
    .list()
    .filter((other) => source.provider.sharedHook(other) === shared && other.metadata.deletionTimestamp === undefined)
    .filter((other) => isMember(source, { integration: other, secret }))
    .toSorted((a, b) => age(a).localeCompare(age(b)));
}

/** Whether the hook stays when this integration is deleted: others share it, or this one was never a member. */
export function outlivedByHook(source: IntegrationSource, sharer: Sharer): boolean {
  const { uid } = sharer.integration.metadata;
  return !isMember(source, sharer) || membersOf(source, sharer).some(({ metadata }) => metadata.uid !== uid);
}

/** The integration that installs the shared hook: the oldest with `install: Auto`; undefined if all members manage the hook manually. */
export function keeperOf(source: IntegrationSource, sharer: Sharer): Integration | undefined {
  return membersOf(source, sharer).find(({ spec }) => spec.webhook.install === "Auto");
}

/** Whether this integration installs the hook. */
export function ownsHook(source: IntegrationSource, sharer: Sharer): boolean {
  return keeperOf(source, sharer)?.metadata.uid === sharer.integration.metadata.uid;
}

/** The integration that changes the shared key: the one that installs the hook, or the oldest if all members manage it manually. */
export function keyOwnerOf(source: IntegrationSource, sharer: Sharer): Integration {
  return keeperOf(source, sharer) ?? membersOf(source, sharer)[0] ?? sharer.integration;
}

function age({ metadata }: Integration): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

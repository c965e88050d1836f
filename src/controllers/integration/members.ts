import type { Integration } from "../../integrations/types.ts";
import type { IntegrationSource } from "../integration-handle.ts";
import type { HookSecret } from "./hook-secret.ts";

/** An integration, with what is stored of its hook. */
export interface Sharer {
  integration: Integration;
  /** Undefined before the first key is made. */
  secret: Pick<HookSecret, "proven"> | undefined;
}

/**
 * Whether an integration is part of the hook that its spec names. An App's id is public: who writes it into a spec shares the hook only
 * after signing in with the App's private key. A hook that is nobody else's needs no proof.
 */
export function isMember(source: Pick<IntegrationSource, "provider">, { integration, secret }: Sharer): boolean {
  if (source.provider.sharedHook(integration) === undefined) return true;
  return secret?.proven.includes(integration.metadata.uid ?? "") === true;
}

/** The integrations that share a hook with this one, oldest first; only itself where each has its own. Itself is missing until it has proven the App's key. */
export function membersOf(source: IntegrationSource, { integration, secret }: Sharer): Integration[] {
  const shared = source.provider.sharedHook(integration);
  if (shared === undefined) return [integration];
  return source
    .list()
    .filter((other) => source.provider.sharedHook(other) === shared && other.metadata.deletionTimestamp === undefined)
    .filter((other) => isMember(source, { integration: other, secret }))
    .toSorted((a, b) => age(a).localeCompare(age(b)));
}

/** Whether the hook stays when this integration goes: others keep it, or it never was a part of it. */
export function outlivedByHook(source: IntegrationSource, sharer: Sharer): boolean {
  const { uid } = sharer.integration.metadata;
  return !isMember(source, sharer) || membersOf(source, sharer).some(({ metadata }) => metadata.uid !== uid);
}

/** Who installs the shared hook: the oldest that lets us; undefined where a person keeps it for all. */
export function keeperOf(source: IntegrationSource, sharer: Sharer): Integration | undefined {
  return membersOf(source, sharer).find(({ spec }) => spec.webhook.install === "Auto");
}

/** Whether this integration keeps the hook. */
export function ownsHook(source: IntegrationSource, sharer: Sharer): boolean {
  return keeperOf(source, sharer)?.metadata.uid === sharer.integration.metadata.uid;
}

/** Who changes the shared key: the keeper of the hook, or the oldest where a person keeps it for all. */
export function keyOwnerOf(source: IntegrationSource, sharer: Sharer): Integration {
  return keeperOf(source, sharer) ?? membersOf(source, sharer)[0] ?? sharer.integration;
}

function age({ metadata }: Integration): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

import type { Integration } from "../../integrations/integration.ts";
import { requestOf } from "../../kube/controller.ts";
import type { Change, KubeObject, Request } from "../../kube/types.ts";
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
  if (source.provider.ingress.webhook(integration).sharedBy === undefined) return true;
  return secret?.proven.includes(integration.metadata.uid ?? "") === true;
}

/** Adds the proof by uid: an integration that is recreated under the same name has to prove ownership again. Proofs of deleted integrations are pruned. */
export function withProof(source: IntegrationSource, integration: Integration, secret: HookSecret): HookSecret {
  if (isMember(source, { integration, secret })) return secret;
  const alive = new Set(source.list().map(({ metadata }) => metadata.uid));
  return {
    ...secret,
    proven: [...secret.proven.filter((uid) => alive.has(uid)), integration.metadata.uid ?? ""],
  };
}

/**
 * The integrations that share a hook with this one, including itself, oldest first; only itself if hooks are not shared. It is itself
 * missing until it has signed in with the App's key.
 */
export function membersOf(source: IntegrationSource, { integration, secret }: Sharer): Integration[] {
  const shared = source.provider.ingress.webhook(integration).sharedBy;
  if (shared === undefined) return [integration];
  return source
    .list()
    .filter(
      (other) =>
        source.provider.ingress.webhook(other).sharedBy === shared && other.metadata.deletionTimestamp === undefined,
    )
    .filter((other) => isMember(source, { integration: other, secret }))
    .toSorted(byAge);
}

/** Whether the hook stays when this integration is deleted: others share it, or this one was never a member. */
export function outlivedByHook(source: IntegrationSource, sharer: Sharer): boolean {
  const { uid } = sharer.integration.metadata;
  return !isMember(source, sharer) || membersOf(source, sharer).some(({ metadata }) => metadata.uid !== uid);
}

/** The integration that installs the shared hook: the oldest with `install: Auto`; undefined if all members manage the hook manually. */
export function keeperOf(source: IntegrationSource, sharer: Sharer): Integration | undefined {
  return membersOf(source, sharer).find((one) => source.provider.ingress.webhook(one).install === "Auto");
}

/** Whether this integration installs the hook. */
export function ownsHook(source: IntegrationSource, sharer: Sharer): boolean {
  return keeperOf(source, sharer)?.metadata.uid === sharer.integration.metadata.uid;
}

/** The integration that changes the shared key: the one that installs the hook, or the oldest if all members manage it manually. */
export function keyOwnerOf(source: IntegrationSource, sharer: Sharer): Integration {
  return keeperOf(source, sharer) ?? membersOf(source, sharer)[0] ?? sharer.integration;
}

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
    const hooks = new Set(changed.flatMap((each) => source.provider.ingress.webhook(each).sharedBy ?? []));
    const uid = changed[0]?.metadata.uid;
    return source
      .list()
      .filter((other) => other.metadata.uid !== uid && hooks.has(source.provider.ingress.webhook(other).sharedBy ?? ""))
      .map((other) => requestOf(other));
  };
}

/** The facts of an integration that others with the same hook depend on, as text to compare. */
function sharedFacts({ provider }: IntegrationSource, integration: Integration | undefined): string {
  if (!integration || integration.metadata.deletionTimestamp !== undefined) return "";
  const installed = integration.status?.conditions?.find(({ type }) => type === "WebhookInstalled");
  if (!installed || installed.reason === "SharedHook") return "";
  const { sharedBy, install } = provider.ingress.webhook(integration);
  return JSON.stringify([sharedBy, install, installed.status, installed.message]);
}

/**
 * The integrations to reconcile because the code host that they use changed, an integration of this kind: they offer its repositories. Only if it
 * was edited, became ready or unready, or was created or deleted.
 */
export function usersOf(
  source: IntegrationSource,
  kind: string,
): <T extends Integration & KubeObject>(change: Change<T>) => Request[] {
  return ({ old, current, initial }) => {
    const changed = current ?? old;
    if (initial || !changed || offerFacts(old) === offerFacts(current)) return [];
    const { name, namespace } = changed.metadata;
    return source
      .list()
      .filter(({ metadata, spec: { codeHostRef } }) => {
        return metadata.namespace === namespace && codeHostRef?.kind === kind && codeHostRef.name === name;
      })
      .map((user) => requestOf(user));
  };
}

function offerFacts(integration: Integration | undefined): string {
  const { uid, generation } = integration?.metadata ?? {};
  const ready = integration?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
  return JSON.stringify([uid, generation, ready]);
}

/** Orders integrations from the oldest to the newest. */
export function byAge(a: Integration, b: Integration): number {
  return age(a).localeCompare(age(b));
}

function age({ metadata }: Integration): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

import { manager, names } from "../../api/annotations.ts";
import {
  decodeGatewayKeys,
  encodeGatewayKeys,
  gatewayKeysSecretName,
  type RouteEntry,
} from "../../intake/gateway-keys.ts";
import type { Integration, Provider } from "../../integrations/types.ts";
import { isConflict } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import type { Logger } from "../../shared/log.ts";
import type { IntegrationSource } from "../desk.ts";
import { secretReader } from "../secrets.ts";
import { hookSecretName, readHookSecret, type HookSecret } from "./hook-secret.ts";
import { isMember } from "./members.ts";

/** The one writer of `bellhop-gateway-keys`. */
export interface GatewayKeys {
  /**
   * Derives the whole Secret from every integration and writes it where it differs. Answers the generation that has what was true when
   * this was called, and integrations whose accepted key another route has too.
   */
  publish(signal: AbortSignal): Promise<Published>;
}

/** What was published. */
export interface Published {
  generation: number;
  /** Uids of integrations whose `acceptedKeysRef` holds a key that another route accepts as well. */
  keyShared: ReadonlySet<string>;
}

/** What deriving needs. */
export interface GatewayKeysDeps {
  client: KubeClient;
  namespace: string;
  sources: readonly IntegrationSource[];
  log: Logger;
}

/** Makes the writer. Calls run one after the other, so that two reconciles never overwrite each other with older facts. */
export function gatewayKeys(deps: GatewayKeysDeps): GatewayKeys {
  let last: Promise<unknown> = Promise.resolve();
  return {
    publish(signal) {
      const next = last.then(() => derive(deps, signal));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

/** What one route holds at most: ours, the one before, and accepted ones. */
const maxKeys = 4;

/** One integration with its keys. */
export interface Member {
  provider: Provider;
  integration: Integration;
  secret: HookSecret;
  accepted: Buffer | undefined;
}

async function derive(deps: GatewayKeysDeps, signal: AbortSignal): Promise<Published> {
  const members = await gather(deps, signal);
  const keyShared = sharedKeys(members);
  // A key that opens two routes opens none.
  const safe = members.map((member) => (keyShared.has(uidOf(member)) ? { ...member, accepted: undefined } : member));
  return { generation: await write(deps, toRoutes(safe), signal), keyShared };
}

async function gather(deps: GatewayKeysDeps, signal: AbortSignal): Promise<Member[]> {
  const found: Member[] = [];
  for (const { provider, ...source } of deps.sources) {
    for (const integration of source.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
      const secret = await readHookSecret(deps, hookSecretName(provider, integration), signal);
      if (secret && isMember({ provider }, { integration, secret }))
        found.push({ provider, integration, secret, accepted: await acceptedKey(deps, provider, integration) });
    }
  }
  return found.toSorted((a, b) => age(a.integration).localeCompare(age(b.integration)));
}

/** A key that cannot be read takes nothing else away: the integration's own reconcile says why. */
async function acceptedKey(
  deps: GatewayKeysDeps,
  provider: Provider,
  integration: Integration,
): Promise<Buffer | undefined> {
  const ref = integration.spec.webhook.acceptedKeysRef;
  if (!ref) return undefined;
  try {
    const purpose = { kind: provider.kind, host: provider.host(integration) };
    return Buffer.from(await secretReader(deps.client, integration.metadata.namespace)(ref, purpose));
  } catch (error) {
    const { namespace, name } = integration.metadata;
    deps.log.warn({ error, namespace, integration: name }, "an accepted webhook key cannot be read");
    return undefined;
  }
}

/** Pure: the routes of all members, those that share a hook together. Oldest first. */
export function toRoutes(members: readonly Member[]): RouteEntry[] {
  const byRoute = Map.groupBy(members, ({ secret }) => secret.route);
  return [...byRoute.values()].flatMap((group) => {
    const [first] = group;
    return first ? [toRoute(first, group)] : [];
  });
}

function toRoute({ provider, integration, secret }: Member, group: readonly Member[]): RouteEntry {
  const ours = [secret.current, ...(secret.previous === undefined ? [] : [secret.previous])].map((key) =>
    Buffer.from(key),
  );
  const accepted = group.flatMap((member) => (member.accepted ? [member.accepted] : []));
  return {
    route: secret.route,
    provider: provider.name,
    host: provider.host(integration),
    generation: secret.generation,
    keys: [...new Set([...ours, ...accepted].map((key) => key.toString("base64")))].slice(0, maxKeys),
    members: group.map((member) => ({
      kind: member.provider.kind,
      namespace: member.integration.metadata.namespace,
      name: member.integration.metadata.name,
      uid: member.integration.metadata.uid ?? "",
    })),
  };
}

/** A key that opens two routes lets a delivery for one be played to the other. */
export function sharedKeys(members: readonly Member[]): Set<string> {
  const withKey = members.filter(({ accepted }) => accepted !== undefined);
  const byKey = Map.groupBy(withKey, ({ accepted }) => accepted?.toString("base64"));
  const clashes = [...byKey.values()].filter((group) => new Set(group.map(({ secret }) => secret.route)).size > 1);
  return new Set(clashes.flat().map(uidOf));
}

function uidOf({ integration }: Member): string {
  return integration.metadata.uid ?? "";
}

async function write(deps: GatewayKeysDeps, entries: readonly RouteEntry[], signal: AbortSignal): Promise<number> {
  const existing = await deps.client.find(secrets, { namespace: deps.namespace, name: gatewayKeysSecretName }, signal);
  const { generation } = decodeGatewayKeys(existing?.data ?? {}).keys;
  const routes = new Map(entries.map((entry) => [entry.route, entry]));
  if (existing && sameData(existing.data ?? {}, encodeGatewayKeys({ generation, routes }))) return generation;
  await store(deps, existing, encodeGatewayKeys({ generation: generation + 1, routes }), signal);
  deps.log.info({ generation: generation + 1, routes: routes.size }, "webhook keys published to the gateways");
  return generation + 1;
}

async function store(
  deps: GatewayKeysDeps,
  existing: Secret | undefined,
  data: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const metadata = { name: gatewayKeysSecretName, namespace: deps.namespace, labels: { [names.managedBy]: manager } };
  if (!existing) {
    await deps.client.create(secrets, { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata, data }, { signal });
    return;
  }
  try {
    await deps.client.replace(secrets, { ...existing, data }, { signal });
  } catch (error) {
    // Nobody else may write it; what changed it is overwritten by the next reconcile.
    if (isConflict(error)) deps.log.warn({}, "somebody else wrote the gateway's keys");
    throw error;
  }
}

function sameData(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function age({ metadata }: Integration): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

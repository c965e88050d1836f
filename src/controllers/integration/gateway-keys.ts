import { manager, names } from "../../api/annotations.ts";
import {
  decodeGatewayKeys,
  encodeGatewayKeys,
  gatewayKeysSecretName,
  type GatewayKeys,
} from "../../intake/gateway-keys.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import { ApiError, isConflict } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { describeError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { IntegrationSource } from "../integration-handle.ts";
import { isForCondition } from "../provider-failure.ts";
import { secretReader } from "../secrets.ts";
import { notPublished, toRoutes, type Member, type Refusal, type Routes } from "./gateway-routes.ts";
import { hookSecretName, readHookSecret } from "./hook-secret.ts";
import { byAge, isMember } from "./members.ts";

/** Publishes the webhook keys to the gateways; the only writer of the Secret `bellhop-gateway-keys`. */
export interface GatewayKeyPublisher {
  /**
   * Derives the whole Secret from all integrations and writes it if it differs. Returns a generation that contains at least the state at the
   * time of the call, and the refusals by integration.
   */
  publish(signal: AbortSignal): Promise<Published>;
}

/** Results of a publication. */
export interface Published {
  generation: number;
  /** By uid of the integration: why it, or its accepted key, is not published. All others are published. */
  refused: ReadonlyMap<string, Refusal>;
}

/** Dependencies of `gatewayKeyPublisher`. */
export interface GatewayKeysDeps {
  client: KubeClient;
  namespace: string;
  sources: readonly IntegrationSource[];
  log: Logger;
}

/** Creates the publisher. Calls run one after the other, so that a reconcile never overwrites newer keys with older ones. */
export function gatewayKeyPublisher(deps: GatewayKeysDeps): GatewayKeyPublisher {
  let last: Promise<unknown> = Promise.resolve();
  return {
    publish(signal) {
      const next = last.then(() => derive(deps, signal));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

async function derive(deps: GatewayKeysDeps, signal: AbortSignal): Promise<Published> {
  const gathered = await gather(deps, signal);
  const { refused, ...served } = toRoutes(gathered.members);
  return {
    generation: await write(deps, served, signal),
    refused: new Map([...gathered.refused, ...refused]),
  };
}

interface Gathered {
  /** Oldest first. */
  members: Member[];
  refused: ReadonlyMap<string, Refusal>;
}

async function gather(deps: GatewayKeysDeps, signal: AbortSignal): Promise<Gathered> {
  const members: Member[] = [];
  const refused = new Map<string, Refusal>();
  const all = deps.sources.flatMap(({ provider, ...source }) =>
    source.list().map((integration) => ({ provider, integration })),
  );
  for (const each of all.filter(({ integration }) => integration.metadata.deletionTimestamp === undefined)) {
    const { member, refusal } = await tryMember(deps, each, signal);
    if (member) members.push(member);
    if (refusal) refused.set(each.integration.metadata.uid ?? "", refusal);
  }
  return { members: members.toSorted((a, b) => byAge(a.integration, b.integration)), refused };
}

interface Candidate {
  provider: Provider;
  integration: Integration;
}

/** The integration with its keys; empty if it has no keys yet, or has not proven that it owns the hook. */
async function tryMember(
  deps: GatewayKeysDeps,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<{ member?: Member; refusal?: Refusal }> {
  const { provider, integration } = candidate;
  try {
    const secret = await readHookSecret(deps, hookSecretName(provider, integration), signal);
    if (!secret || !isMember({ provider }, { integration, secret })) return {};
    const { accepted, ...refused } = await acceptedKey(deps, candidate);
    return { member: { provider, integration, secret, accepted }, ...refused };
  } catch (error) {
    // A failed call of the API server says nothing about the integration: its keys stay published.
    if (error instanceof ApiError) throw error;
    const { namespace, name } = integration.metadata;
    deps.log.error({ error, namespace, integration: name }, "could not publish an integration to the gateways");
    return { refusal: notPublished(error) };
  }
}

/** The accepted key, or the token of the connection. If it cannot be read, the route is served without it, and the integration's condition gives the reason. */
async function acceptedKey(
  deps: GatewayKeysDeps,
  { provider, integration }: Candidate,
): Promise<{ accepted?: Buffer; refusal?: Refusal }> {
  const { acceptedKeysRef, acceptedKeysPath } = provider.ingress.webhook(integration);
  const ref = provider.ingress.socket?.settings(integration)?.tokenRef ?? acceptedKeysRef;
  if (!ref) return {};
  const purpose = { kind: provider.kind, host: provider.host(integration) };
  try {
    const key = await secretReader(deps.client, integration.metadata.namespace)(ref, purpose);
    return { accepted: Buffer.from(key) };
  } catch (error) {
    if (!isForCondition(error)) throw error;
    return { refusal: { reason: error.code, message: `${acceptedKeysPath}: ${describeError(error)}` } };
  }
}

async function write(
  deps: GatewayKeysDeps,
  { entries, sockets }: Omit<Routes, "refused">,
  signal: AbortSignal,
): Promise<number> {
  const existing = await deps.client.find(secrets, { namespace: deps.namespace, name: gatewayKeysSecretName }, signal);
  const { generation } = decodeGatewayKeys(existing?.data ?? {}).keys;
  const routes = new Map(entries.map((entry) => [entry.route, entry]));
  const encoded = (next: number): Record<string, string> =>
    encodeGatewayKeys({ generation: next, routes, sockets } satisfies GatewayKeys);
  if (existing && sameData(existing.data ?? {}, encoded(generation))) return generation;
  await store(deps, existing, encoded(generation + 1), signal);
  const counts = { routes: routes.size, connections: sockets.size };
  deps.log.info({ generation: generation + 1, ...counts }, "published keys to the gateways");
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
    // Only the operator may write this Secret; the next reconcile overwrites any other change.
    if (isConflict(error)) deps.log.warn({}, "the Secret of the gateway keys was changed by another writer");
    throw error;
  }
}

function sameData(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

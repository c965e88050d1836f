import { createHash, randomBytes } from "node:crypto";
import { manager, names } from "../../api/annotations.ts";
import { isAlreadyExists } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import type { Integration, Provider } from "../../integrations/types.ts";
import { defined } from "../../shared/defined.ts";
import { secretRegistry } from "../../shared/redact.ts";

/** The opaque route and the webhook secret of an integration (or of an App that several share): the source of truth. */
export interface HookSecret {
  /** Opaque path segment of the webhook URL. */
  route: string;
  /** Counts the keys; 1 for the first. */
  generation: number;
  current: string;
  /** Still accepted until the longest retry window has passed. */
  previous?: string;
  /** When `current` was made, RFC 3339. */
  rotatedAt: string;
  /** The request that `current` was made for: carried out once, whatever was noted in the status. */
  requestedAt?: string;
  /** The generation that the provider signs with, as far as we set it; 0 before the first install. */
  installed: number;
  /** The generation that we gave each hook, by its target. */
  keyed?: Readonly<Record<string, number>>;
  /** Since when it does, RFC 3339. */
  installedAt?: string;
  /** The address that all hooks were last set to: ours, whoever keeps them next. */
  url?: string;
  /** Uids of the integrations that signed in with the App's key and so may share its hook; empty where each has its own. */
  proven: readonly string[];
  /** `resourceVersion` of the Secret that it was read from; undefined before it is stored. */
  version?: string;
}

/** Where hook secrets are kept: the operator's own namespace. */
export interface HookSecretDeps {
  client: KubeClient;
  namespace: string;
}

/** Name of the Secret that holds an integration's route and key; one for all integrations that share a hook. */
export function hookSecretName(provider: Provider, integration: Integration): string {
  const shared = provider.sharedHook(integration);
  const id = shared === undefined ? `uid/${integration.metadata.uid}` : `shared/${shared}`;
  return `bellhop-hook-${createHash("sha256").update(id).digest("hex").slice(0, 32)}`;
}

/** Reads it; undefined where there is none. */
export async function readHookSecret(
  deps: HookSecretDeps,
  name: string,
  signal?: AbortSignal,
): Promise<HookSecret | undefined> {
  const secret = await deps.client.find(secrets, { namespace: deps.namespace, name }, signal);
  return secret && parse(secret);
}

/** Makes the first route and key. */
export function newHookSecret(now: Date, requestedAt?: string): HookSecret {
  return {
    ...(requestedAt === undefined ? {} : { requestedAt }),
    route: randomBytes(20).toString("hex"),
    generation: 1,
    current: newKey(),
    rotatedAt: now.toISOString(),
    installed: 0,
    proven: [],
  };
}

/** Makes the next key; the one in force stays valid beside it. */
export function rotated(secret: HookSecret, requestedAt: string, now: Date): HookSecret {
  return {
    ...secret,
    requestedAt,
    generation: secret.generation + 1,
    current: newKey(),
    previous: secret.current,
    rotatedAt: now.toISOString(),
  };
}

/**
 * Writes it whole: makes the Secret where none was read, and else replaces what was read and nothing newer. Answers it as it is then; throws
 * `ApiError` `AlreadyExists` or `Conflict` where somebody was faster: read again, plan again.
 */
export async function writeHookSecret(
  deps: HookSecretDeps,
  name: string,
  { secret, ownerUID }: { secret: HookSecret; ownerUID: string },
  signal?: AbortSignal,
): Promise<HookSecret> {
  const { version, ...content } = secret;
  const labels = { [names.managedBy]: manager, [names.ownerUID]: ownerUID };
  const metadata = { name, namespace: deps.namespace, labels };
  const draft = { apiVersion: "v1", kind: "Secret", type: "bellhop.dev/hook", metadata, data: encode(content) };
  const options = signal === undefined ? {} : { signal };
  if (version === undefined) return stored(secret, await make(deps, draft, options));
  const newer = { ...draft, metadata: { ...metadata, resourceVersion: version } };
  return stored(secret, await deps.client.replace(secrets, newer, options));
}

async function make(deps: HookSecretDeps, draft: Secret, options: { signal?: AbortSignal }): Promise<Secret> {
  try {
    return await deps.client.create(secrets, draft, options);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const found = await deps.client.find(secrets, draft.metadata, options.signal);
    // One that holds nothing usable is as good as none, and would be in the way for ever.
    if (!found || parse(found)) throw error;
    const { resourceVersion = "" } = found.metadata;
    return deps.client.replace(secrets, { ...draft, metadata: { ...draft.metadata, resourceVersion } }, options);
  }
}

function stored(secret: HookSecret, { metadata }: Secret): HookSecret {
  return { ...secret, ...defined({ version: metadata.resourceVersion }) };
}

/** Removes it. */
export async function deleteHookSecret(deps: HookSecretDeps, name: string, signal?: AbortSignal): Promise<void> {
  await deps.client.delete(secrets, { namespace: deps.namespace, name }, signal === undefined ? {} : { signal });
}

function newKey(): string {
  const key = randomBytes(32).toString("base64url");
  secretRegistry.add(key);
  return key;
}

function encode(secret: Omit<HookSecret, "version">): Record<string, string> {
  const { proven, keyed = {}, ...rest } = secret;
  const numbers = { generation: String(secret.generation), installed: String(secret.installed) };
  const each = Object.entries(keyed).map(([target, generation]) => `${target}=${generation}`);
  const lists = Object.entries({ proven, keyed: each }).filter(([, list]) => list.length > 0);
  const plain = { ...rest, ...numbers, ...Object.fromEntries(lists.map(([key, list]) => [key, list.join(",")])) };
  return Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
}

function parse(secret: Secret): HookSecret | undefined {
  const read = (key: string): string => Buffer.from(secret.data?.[key] ?? "", "base64").toString();
  const [route, current] = [read("route"), read("current")];
  if (route === "" || current === "") return undefined;
  for (const key of [current, read("previous")]) secretRegistry.add(key);
  const optional = ["previous", "requestedAt", "installedAt", "url"].flatMap((key) =>
    read(key) === "" ? [] : [[key, read(key)]],
  );
  const keyed = read("keyed").split(",").filter(Boolean);
  return {
    route,
    current,
    generation: Number(read("generation")),
    installed: Number(read("installed")),
    rotatedAt: read("rotatedAt"),
    proven: read("proven").split(",").filter(Boolean),
    ...(keyed.length === 0 ? {} : { keyed: Object.fromEntries(keyed.map(parseKeyed)) }),
    ...defined({ version: secret.metadata.resourceVersion }),
    ...(Object.fromEntries(optional) as Pick<HookSecret, "previous" | "requestedAt" | "installedAt" | "url">),
  };
}

function parseKeyed(text: string): [target: string, generation: number] {
  const [target = "", generation] = text.split("=");
  return [target, Number(generation)];
}

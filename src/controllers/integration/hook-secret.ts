import { createHash, randomBytes } from "node:crypto";
import { manager, names } from "../../api/annotations.ts";
import { isAlreadyExists } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import type { Integration } from "../../integrations/integration.ts";
import type { Provider } from "../../integrations/provider.ts";
import { defined } from "../../shared/defined.ts";
import { secretRegistry } from "../../shared/redact.ts";

/** The opaque route and the webhook keys of an integration, or of an App that several integrations share. This is the source of truth. */
export interface HookSecret {
  /** Opaque path segment of the webhook URL. */
  route: string;
  /** Counts the keys; 1 for the first. */
  generation: number;
  current: string;
  /** The key before `current`; accepted until the longest retry window has passed. */
  previous?: string;
  /** When `current` was created, RFC 3339. */
  rotatedAt: string;
  /** The rotation request that created `current`. It is carried out once, even if the status does not show it. */
  requestedAt?: string;
  /** The generation that all hooks sign with, as far as we set it; 0 before the first install. */
  installed: number;
  /** The generation that we set on each hook, by target. */
  keyed?: Readonly<Record<string, number>>;
  /** Since when `installed` has its value, RFC 3339. */
  installedAt?: string;
  /** The URL that all hooks were last set to: recognises them as ours, whichever integration installs them next. */
  url?: string;
  /** Uids of the integrations that signed in with the App's key and may share its hook; empty if the hook is not shared. */
  proven: readonly string[];
  /** `resourceVersion` of the Secret it was read from; undefined before it is stored. */
  version?: string;
}

/** Dependencies of the functions below; `namespace` is the operator's own. */
export interface HookSecretDeps {
  client: KubeClient;
  namespace: string;
}

/** Name of the Secret that holds an integration's route and key; one for all integrations that share a hook. */
export function hookSecretName(provider: Provider, integration: Integration): string {
  const shared = provider.ingress.webhook(integration).sharedBy;
  const id = shared === undefined ? `uid/${integration.metadata.uid}` : `shared/${shared}`;
  return `bellhop-hook-${createHash("sha256").update(id).digest("hex").slice(0, 32)}`;
}

/** Reads a hook secret; undefined if there is none. */
export async function readHookSecret(
  deps: HookSecretDeps,
  name: string,
  signal?: AbortSignal,
): Promise<HookSecret | undefined> {
  const secret = await deps.client.find(secrets, { namespace: deps.namespace, name }, signal);
  return secret && parse(secret);
}

/** Creates the first route and key. */
export function newHookSecret(now: Date, requestedAt?: string): HookSecret {
  return {
    ...defined({ requestedAt }),
    route: randomBytes(20).toString("hex"),
    generation: 1,
    current: newKey(),
    rotatedAt: now.toISOString(),
    installed: 0,
    proven: [],
  };
}

/** Creates the next key; the current one becomes the previous one and stays valid. */
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
 * Writes the whole hook secret: creates the Secret if none was read, else replaces exactly the version that was read. Returns the stored
 * secret. Throws `ApiError` `AlreadyExists` or `Conflict` if another writer was faster: the caller reads and plans again.
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
  const options = defined({ signal });
  if (version === undefined) return stored(secret, await createSecret(deps, draft, options));
  const newer = { ...draft, metadata: { ...metadata, resourceVersion: version } };
  return stored(secret, await deps.client.replace(secrets, newer, options));
}

async function createSecret(deps: HookSecretDeps, draft: Secret, options: { signal?: AbortSignal }): Promise<Secret> {
  try {
    return await deps.client.create(secrets, draft, options);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const found = await deps.client.find(secrets, draft.metadata, options.signal);
    // A Secret without a usable route and key is replaced: it would block every later write.
    if (!found || parse(found)) throw error;
    const { resourceVersion = "" } = found.metadata;
    return deps.client.replace(secrets, { ...draft, metadata: { ...draft.metadata, resourceVersion } }, options);
  }
}

function stored(secret: HookSecret, { metadata }: Secret): HookSecret {
  return { ...secret, ...defined({ version: metadata.resourceVersion }) };
}

/** Deletes a hook secret. */
export async function deleteHookSecret(deps: HookSecretDeps, name: string, signal?: AbortSignal): Promise<void> {
  await deps.client.delete(secrets, { namespace: deps.namespace, name }, defined({ signal }));
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

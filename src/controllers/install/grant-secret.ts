import { createHash, randomBytes } from "node:crypto";
import { manager, names } from "../../api/annotations.ts";
import type { OAuthGrant } from "../../integrations/sign-in.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../kube/errors.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { KubeClient } from "../../kube/types.ts";
import { defined } from "../../shared/defined.ts";
import { BellhopError } from "../../shared/errors.ts";
import { secretRegistry } from "../../shared/redact.ts";

/** The content of an integration's Secret of the install flow, in the operator's namespace. */
export interface GrantSecret {
  /** The key that signs states. */
  stateKey: string;
  /** One for each account. */
  grants: readonly OAuthGrant[];
  /** States that were used, as long as they have not expired. */
  usedStates: readonly UsedState[];
}

/** A state that must not be used again. `until`: its expiry, RFC 3339. */
export interface UsedState {
  id: string;
  until: string;
}

/** Dependencies of the functions below; `namespace` is the operator's own. */
export interface GrantSecretDeps {
  client: Pick<KubeClient, "find" | "create" | "replace" | "delete">;
  namespace: string;
}

/** The leading operator and each replica that serves the pages may write at the same time. */
const attempts = 8;

/** Name of the Secret of an integration, by its uid. */
export function grantSecretName(uid: string): string {
  return `bellhop-grants-${createHash("sha256").update(`grants/${uid}`).digest("hex").slice(0, 32)}`;
}

/** Reads the Secret; undefined if there is none. Throws `ApiError`. */
export async function readGrantSecret(
  deps: GrantSecretDeps,
  uid: string,
  signal?: AbortSignal,
): Promise<GrantSecret | undefined> {
  const stored = await deps.client.find(secrets, { namespace: deps.namespace, name: grantSecretName(uid) }, signal);
  return stored && parse(stored);
}

/**
 * Changes the Secret by compare-and-swap: `change` gets the stored content, and may be called again with a newer one. It returns the content that
 * it was given if there is nothing to write. Throws `IntegrationGone` if the Secret does not exist: only `createGrantSecret` creates it, so that
 * nothing is stored for an integration that was deleted meanwhile.
 */
export async function changeGrantSecret(
  deps: GrantSecretDeps,
  uid: string,
  change: (content: GrantSecret) => GrantSecret,
  signal?: AbortSignal,
): Promise<GrantSecret> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryChange(deps, uid, change, signal);
    } catch (error) {
      if (isNotFound(error)) throw gone();
      if (attempt === attempts || !isConflict(error)) throw error;
    }
  }
}

async function tryChange(
  { client, namespace }: GrantSecretDeps,
  uid: string,
  change: (content: GrantSecret) => GrantSecret,
  signal?: AbortSignal,
): Promise<GrantSecret> {
  const stored = await client.find(secrets, { namespace, name: grantSecretName(uid) }, signal);
  if (!stored) throw gone();
  const content = parse(stored);
  const wanted = change(content);
  if (wanted !== content) await client.replace(secrets, { ...stored, data: encode(wanted) }, defined({ signal }));
  return wanted;
}

function gone(): BellhopError {
  return new BellhopError("IntegrationGone", "the integration was deleted, or the operator has not prepared it yet");
}

/** Creates the Secret without grants if it does not exist. Throws `ApiError`. */
export async function createGrantSecret(deps: GrantSecretDeps, uid: string, signal?: AbortSignal): Promise<void> {
  if (await readGrantSecret(deps, uid, signal)) return;
  const labels = { [names.managedBy]: manager, [names.ownerUID]: uid };
  const metadata = { name: grantSecretName(uid), namespace: deps.namespace, labels };
  const data = encode({ stateKey: randomBytes(32).toString("base64url"), grants: [], usedStates: [] });
  const draft = { apiVersion: "v1", kind: "Secret", type: "bellhop.dev/grants", metadata, data };
  try {
    await deps.client.create(secrets, draft, defined({ signal }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Deletes the Secret of an integration; succeeds if there is none. Throws `ApiError`. */
export async function deleteGrantSecret(deps: GrantSecretDeps, uid: string, signal?: AbortSignal): Promise<void> {
  await deps.client.delete(secrets, { namespace: deps.namespace, name: grantSecretName(uid) }, defined({ signal }));
}

const grantPrefix = "grant.";

function encode({ stateKey, grants, usedStates }: GrantSecret): Record<string, string> {
  const texts = {
    stateKey,
    usedStates: JSON.stringify(usedStates),
    ...Object.fromEntries(grants.map((grant) => [`${grantPrefix}${grant.account}`, JSON.stringify(grant)])),
  };
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));
}

function parse({ data = {} }: Secret): GrantSecret {
  const read = (key: string): string => Buffer.from(data[key] ?? "", "base64").toString();
  const keys = Object.keys(data).filter((key) => key.startsWith(grantPrefix));
  const grants = keys.toSorted().map((key) => JSON.parse(read(key)) as OAuthGrant);
  const stateKey = read("stateKey");
  for (const secret of [stateKey, ...grants.flatMap(tokensOf)]) secretRegistry.add(secret);
  return { stateKey, grants, usedStates: JSON.parse(read("usedStates") || "[]") as UsedState[] };
}

function tokensOf({ accessToken, refreshToken }: OAuthGrant): string[] {
  return [accessToken, ...(refreshToken === undefined ? [] : [refreshToken])];
}

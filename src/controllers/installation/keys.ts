import { randomBytes } from "node:crypto";
import { manager, names } from "../../api/annotations.ts";
import { secrets, type Secret } from "../../kube/resources.ts";
import type { KubeClient, ObjectKey } from "../../kube/types.ts";
import { createAuthority, issueServer, needsRenewal, type KeyPair } from "./certificates.ts";

/** Dependencies of `keepKeys`. */
export interface KeysDeps {
  client: KubeClient;
  /** Namespaces of the operator (holds the CA) and the broker (holds its certificate and signing keys). */
  namespace: string;
  brokerNamespace: string;
  /** Names in the broker's certificate; the first is the one in its URL. */
  brokerHosts: readonly string[];
  signingKeyMaxAgeMs: number;
}

const authorityDays = 3650;
const serverDays = 90;
const authorityName = "bellhop-ca";
const rotatedAt = "bellhop.dev/rotated-at";

/** Creates the CA, the broker's certificate and its signing keys if they are missing, and renews certificate and signing keys in time. Returns the CA, PEM. */
export async function keepKeys(deps: KeysDeps, now: Date, signal: AbortSignal): Promise<{ caCertificate: string }> {
  const authority = await keepAuthority(deps, now, signal);
  await keepServer(deps, authority, now, signal);
  await keepSigningKeys(deps, now, signal);
  return { caCertificate: authority.certificate };
}

async function keepAuthority(deps: KeysDeps, now: Date, signal: AbortSignal): Promise<KeyPair> {
  const key = { namespace: deps.namespace, name: authorityName };
  const existing = await deps.client.find(secrets, key, signal);
  const pair = existing && pairIn(existing);
  if (pair) return pair;
  const made = await createAuthority("Bellhop", now, authorityDays);
  const data = { "tls.crt": made.certificate, "tls.key": made.privateKey };
  await deps.client.apply(secrets, secret(key, "kubernetes.io/tls", data), { fieldManager: manager, signal });
  return made;
}

async function keepServer(deps: KeysDeps, authority: KeyPair, now: Date, signal: AbortSignal): Promise<void> {
  const key = { namespace: deps.brokerNamespace, name: "broker-tls" };
  const existing = await deps.client.find(secrets, key, signal);
  if (!(await needsRenewal(existing && pairIn(existing), authority, deps.brokerHosts, now))) return;
  const made = await issueServer(authority, deps.brokerHosts, now, serverDays);
  const data = { "tls.crt": made.certificate, "tls.key": made.privateKey, "ca.crt": authority.certificate };
  await deps.client.apply(secrets, secret(key, "kubernetes.io/tls", data), { fieldManager: manager, signal });
}

async function keepSigningKeys(deps: KeysDeps, now: Date, signal: AbortSignal): Promise<void> {
  const key = { namespace: deps.brokerNamespace, name: "broker-signing" };
  const existing = await deps.client.find(secrets, key, signal);
  const current = existing && read(existing, "current");
  const age = now.getTime() - Date.parse(existing?.metadata.annotations?.[rotatedAt] ?? "");
  if (current && age < deps.signingKeyMaxAgeMs) return;
  const fresh = secret(key, "Opaque", {
    current: randomBytes(32).toString("base64"),
    ...(current ? { previous: current } : {}),
  });
  const dated = { ...fresh, metadata: { ...fresh.metadata, annotations: { [rotatedAt]: now.toISOString() } } };
  await deps.client.apply(secrets, dated, { fieldManager: manager, signal });
}

function pairIn(existing: Secret): KeyPair | undefined {
  const [certificate, privateKey] = [read(existing, "tls.crt"), read(existing, "tls.key")];
  return certificate && privateKey ? { certificate, privateKey } : undefined;
}

function read(existing: Secret, key: string): string | undefined {
  const value = existing.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString();
}

function secret(key: ObjectKey, type: string, plain: Record<string, string>): Secret {
  const data = Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  );
  return { apiVersion: "v1", kind: "Secret", type, metadata: { ...key, labels: { [names.managedBy]: manager } }, data };
}

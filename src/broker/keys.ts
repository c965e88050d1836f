import { secrets, type Secret } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { sleep, type Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import type { SigningKeys } from "./capability.ts";

/** The keys that the operator stores for the broker: a certificate of its CA, and the keys that sign capabilities. */
export interface BrokerKeys {
  tls: { cert: string; key: string };
  signing: SigningKeys;
}

/** Names of the Secrets in the broker's namespace. */
export const brokerSecretNames = { tls: "broker-tls", signing: "broker-signing" } as const;

/** Dependencies of `followKeys`. */
export interface KeysDeps {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  namespace: string;
}

/** Interval between two reads. It can be long, because certificates are renewed and signing keys rotated long before they are needed. */
const rereadMs = 30_000;
const firstTryMs = 1_000;

/**
 * Reads the keys regularly, more often until they exist, and calls `onChange` with each new set. If `onChange` throws, the new set is unusable:
 * the previous set stays in use, and the new one is tried again. Ends when `signal` aborts.
 */
export async function followKeys(
  deps: KeysDeps,
  onChange: (keys: BrokerKeys) => void,
  signal: AbortSignal,
): Promise<void> {
  let known = "";
  while (!signal.aborted) {
    const keys = await readKeys(deps, signal);
    const version = keys && JSON.stringify([keys.tls, keys.signing.map((key) => Buffer.from(key).toString("base64"))]);
    if (keys && version !== undefined && version !== known && tryKeys(deps, keys, onChange)) known = version;
    await sleep(deps.clock, known === "" ? firstTryMs : rereadMs, signal).catch(() => undefined);
  }
}

function tryKeys({ log, namespace }: KeysDeps, keys: BrokerKeys, onChange: (keys: BrokerKeys) => void): boolean {
  try {
    onChange(keys);
    return true;
  } catch (error) {
    log.error(
      { error, namespace, secrets: brokerSecretNames },
      "could not use the new keys; the previous keys stay in use",
    );
    return false;
  }
}

async function readKeys(deps: KeysDeps, signal: AbortSignal): Promise<BrokerKeys | undefined> {
  try {
    const { tls, signing } = brokerSecretNames;
    const [certificate, keys] = await Promise.all(
      [tls, signing].map((name) => deps.client.find(secrets, { namespace: deps.namespace, name }, signal)),
    );
    return assemble(certificate, keys);
  } catch (error) {
    if (!signal.aborted) deps.log.warn({ error }, "could not read the keys of the broker; trying again");
    return undefined;
  }
}

function assemble(tls: Secret | undefined, signing: Secret | undefined): BrokerKeys | undefined {
  const [cert, key] = ["tls.crt", "tls.key"].map((name) => decode(tls, name));
  const [current, previous] = ["current", "previous"].map((name) => decode(signing, name));
  if (!cert || !key || !current) return undefined;
  return { tls: { cert: cert.toString(), key: key.toString() }, signing: previous ? [current, previous] : [current] };
}

function decode(secret: Secret | undefined, name: string): Buffer | undefined {
  const value = secret?.data?.[name];
  return value === undefined ? undefined : Buffer.from(value, "base64");
}

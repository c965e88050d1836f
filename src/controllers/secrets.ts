import { names } from "../api/annotations.ts";
import type { ConnectDeps } from "../integrations/sign-in.ts";
import { secrets } from "../kube/resources.ts";
import type { KubeClient, KubeObject, ObjectKey, ResourceType } from "../kube/types.ts";
import type { Clock } from "../shared/clock.ts";
import { BellhopError } from "../shared/errors.ts";
import { createMemo } from "../shared/memo.ts";
import { secretRegistry } from "../shared/redact.ts";

/**
 * Reads Secrets of one namespace for `connect`: by `get` only, and only those that allow it with the annotation
 * `bellhop.dev/allowed-for: <Kind>/<host>`. The codes of its errors are condition reasons.
 */
export function secretReader(client: KubeClient, namespace: string): ConnectDeps["readSecret"] {
  return async (ref, purpose) => {
    const at = `Secret ${namespace}/${ref.name}`;
    const secret = await client.find(secrets, { namespace, name: ref.name });
    if (!secret) throw new BellhopError("SecretNotFound", `${at} does not exist; create it, or fix the reference`);
    const wanted = `${purpose.kind}/${purpose.host}`;
    if (!allowedFor(secret.metadata.annotations).includes(wanted)) {
      throw new BellhopError(
        "SecretNotAllowed",
        `${at} may not be used for this integration; to allow it, add the annotation ${names.allowedFor}: ${wanted}`,
      );
    }
    const value = trimmed(Buffer.from(secret.data?.[ref.key] ?? "", "base64"));
    if (value.length === 0)
      throw new BellhopError("SecretKeyMissing", `${at} has no key \`${ref.key}\`, or the key is empty; add it`);
    secretRegistry.add(value);
    return value;
  };
}

/** A changed Secret is used for tasks after this time at the latest. */
export const secretKeptMs = 10_000;

/**
 * A client that reads each Secret at most once in ten seconds, for sign-ins: a task signs in at every step, and a burst of tasks with the same
 * Secret. The check of an integration always reads it.
 */
export function withRecentSecrets(client: KubeClient, clock: Clock): KubeClient {
  const memo = createMemo<KubeObject | undefined>(clock, secretKeptMs);
  const find = <T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal) => {
    const read = (): Promise<T | undefined> => client.find(type, key, signal);
    return type.plural === secrets.plural
      ? (memo(`${key.namespace}/${key.name}`, read) as Promise<T | undefined>)
      : read();
  };
  return { ...client, find };
}

function allowedFor(annotations: Record<string, string> | undefined): string[] {
  return (annotations?.[names.allowedFor] ?? "").split(",").map((part) => part.trim());
}

/** Removes a final newline, which editors add and which is not part of the secret. */
function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}

import { configMaps, secrets } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";

/** Entries of a ConfigMap or a Secret. */
export type Entries = Record<string, Buffer>;

/** A reference to a ConfigMap or Secret in the pod's namespace. */
export interface EntriesRef {
  namespace: string;
  name: string;
  optional?: boolean | undefined;
}

/** The entries of a ConfigMap. Throws if it is missing and not optional. */
export async function configMapEntries(client: KubeClient, ref: EntriesRef): Promise<Entries> {
  const found = await client.find(configMaps, { namespace: ref.namespace, name: ref.name });
  if (!found) return missing("ConfigMap", ref);
  return { ...decode(found.data, "utf8"), ...decode(found.binaryData, "base64") };
}

/** The entries of a Secret. Throws if it is missing and not optional. */
export async function secretEntries(client: KubeClient, ref: EntriesRef): Promise<Entries> {
  const found = await client.find(secrets, { namespace: ref.namespace, name: ref.name });
  return found ? decode(found.data, "base64") : missing("Secret", ref);
}

/** The text of one entry; undefined if the entry is missing and optional. */
export function entryOf(entries: Entries, key: string, ref: EntriesRef): string | undefined {
  const value = entries[key]?.toString("utf8");
  if (value === undefined && !ref.optional) throw new Error(`${ref.name} has no key ${key}`);
  return value;
}

/** Selects and renames entries as `items` says, and returns files by path. Without `items`, returns every entry under its key. */
export function filesOf(
  entries: Entries,
  items: { key: string; path: string }[] | undefined,
  ref: EntriesRef,
): Record<string, Buffer> {
  if (!items) return entries;
  const files = items.flatMap(({ key, path }) => {
    const value = entries[key];
    if (value === undefined && !ref.optional) throw new Error(`${ref.name} has no key ${key}`);
    return value === undefined ? [] : [[path, value] as const];
  });
  return Object.fromEntries(files);
}

function missing(kind: string, { name, optional }: EntriesRef): Entries {
  if (optional) return {};
  throw new Error(`${kind} ${name} not found`);
}

function decode(data: Record<string, string> | undefined, encoding: BufferEncoding): Entries {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]));
}

import { ApiError } from "./errors.ts";
import type { JsonPatch, KubeClient, KubeObject, ResourceType } from "./types.ts";

const maxAttempts = 5;

type PatchClient = Pick<KubeClient, "find" | "jsonPatch">;

/**
 * Adds a finalizer; returns the updated object, or the given one if it already has the finalizer.
 * Throws if the object is deleted or being deleted: no finalizer may be added then.
 */
export async function addFinalizer<T extends KubeObject>(
  client: PatchClient,
  type: ResourceType<T>,
  object: T,
  name: string,
): Promise<T> {
  const changed = await change(client, { type, object, patch: (current) => additionOf(current, name) });
  if (changed) return changed;
  throw new ApiError({
    status: 404,
    reason: "NotFound",
    message: `add a finalizer to ${type.plural} ${object.metadata.name}: it is gone`,
  });
}

/** Removes a finalizer; returns the updated object, or undefined if the object does not exist any more. */
export function removeFinalizer<T extends KubeObject>(
  client: PatchClient,
  type: ResourceType<T>,
  object: T,
  name: string,
): Promise<T | undefined> {
  return change(client, { type, object, patch: (current) => removalOf(current, name) });
}

/** Whether the object has the finalizer. */
export function hasFinalizer(object: KubeObject, name: string): boolean {
  return object.metadata.finalizers?.includes(name) ?? false;
}

interface FinalizerChange<T extends KubeObject> {
  type: ResourceType<T>;
  object: T;
  /** The JSON patch that changes the list of finalizers; empty if there is nothing to change. */
  patch: (object: T) => JsonPatch;
}

/**
 * The patch contains `test` operations for the state that was read: if another writer was first, the server rejects it (422), and we read
 * and try again. The uid is tested too, so that another object with the same name is never changed.
 */
async function change<T extends KubeObject>(
  client: PatchClient,
  { type, object, patch }: FinalizerChange<T>,
): Promise<T | undefined> {
  let current: T | undefined = object;
  let refused: unknown;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const operations = patch(current);
    if (operations.length === 0) return current;
    try {
      return await client.jsonPatch(type, current.metadata, operations);
    } catch (error) {
      if (!mayBeStale(error)) throw error;
      refused = error;
    }
    current = await client.find(type, object.metadata);
    if (!current || current.metadata.uid !== object.metadata.uid) return undefined;
  }
  throw refused;
}

function mayBeStale(error: unknown): boolean {
  return error instanceof ApiError && [404, 409, 422].includes(error.status);
}

function additionOf(object: KubeObject, name: string): JsonPatch {
  const { finalizers } = object.metadata;
  if (finalizers?.includes(name)) return [];
  if (finalizers === undefined) {
    return [...sameObject(object), { op: "test", path: "/metadata/finalizers", value: null }, addAll([name])];
  }
  return [
    ...sameObject(object),
    { op: "test", path: "/metadata/finalizers", value: finalizers },
    { op: "add", path: "/metadata/finalizers/-", value: name },
  ];
}

function addAll(names: string[]): JsonPatch[number] {
  return { op: "add", path: "/metadata/finalizers", value: names };
}

function removalOf(object: KubeObject, name: string): JsonPatch {
  const at = object.metadata.finalizers?.indexOf(name) ?? -1;
  if (at < 0) return [];
  const path = `/metadata/finalizers/${at}`;
  return [...sameObject(object), { op: "test", path, value: name }, { op: "remove", path }];
}

function sameObject(object: KubeObject): JsonPatch {
  return object.metadata.uid === undefined ? [] : [{ op: "test", path: "/metadata/uid", value: object.metadata.uid }];
}

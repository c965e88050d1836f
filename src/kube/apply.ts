import { isDeepStrictEqual } from "node:util";
import type { KubeClient, KubeObject, ResourceType } from "./types.ts";

/** An object with a status subresource. */
export interface WithStatus extends KubeObject {
  status?: object;
}

/**
 * Writes the status if it differs from the object's; returns the updated object.
 * Guarded by `metadata.resourceVersion`: if another writer changed the object since it was read, this throws a conflict and overwrites nothing.
 */
export async function updateStatus<T extends WithStatus>(
  client: Pick<KubeClient, "replaceStatus">,
  type: ResourceType<T>,
  object: T,
  newStatus: NonNullable<T["status"]>,
): Promise<T> {
  if (sameJson(object.status ?? {}, newStatus)) return object;
  return client.replaceStatus(type, { ...object, status: newStatus });
}

/** Whether both are the same JSON: key order, and absent versus undefined, do not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(onTheWire(a), onTheWire(b));
}

function onTheWire(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

import { isDeepStrictEqual } from "node:util";
import type { KubeClient, KubeObject, ResourceType } from "./types.ts";

/** An object with a status subresource. */
export interface WithStatus extends KubeObject {
  status?: object;
}

/**
 * Writes the status where it differs from the object's; answers the object as it is afterwards.
 * Guarded by `metadata.resourceVersion`: a status that somebody else changed since is a conflict, not lost.
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

/** Whether both are the same on the wire: key order and absent against undefined do not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(onTheWire(a), onTheWire(b));
}

function onTheWire(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

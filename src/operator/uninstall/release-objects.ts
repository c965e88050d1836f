import { names } from "../../api/annotations.ts";
import { isNotFound } from "../../kube/errors.ts";
import { hasFinalizer, removeFinalizer } from "../../kube/finalizers.ts";
import type { KubeConnection, KubeObject, PageOptions, ResourceType } from "../../kube/types.ts";
import { eachObject, type Tally } from "./each-object.ts";

/** How the objects of a kind are read, and a callback for each of them. */
export interface ReleaseOptions<T> extends PageOptions<T> {
  /** Called with each object, whether or not it has the finalizer. */
  seen?: (object: T) => void;
}

/**
 * Removes our finalizer from every object of a kind, in all namespaces; finalizers of others stay. Does nothing if the CRD of the kind is
 * missing. Throws `ApiError`.
 */
export async function releaseObjects<T extends KubeObject>(
  client: KubeConnection,
  type: ResourceType<T>,
  signal: AbortSignal,
  { seen = () => {}, ...pages }: ReleaseOptions<T> = {},
): Promise<Tally> {
  const release = async (object: T): Promise<boolean> => {
    seen(object);
    if (!hasFinalizer(object, names.finalizer)) return false;
    await removeFinalizer(client, type, object, names.finalizer);
    return true;
  };
  try {
    const { items } = await client.list(type, { ...pages, signal });
    return await eachObject(items, release, signal);
  } catch (error) {
    if (isNotFound(error)) return { changed: 0, failed: 0 };
    throw error;
  }
}

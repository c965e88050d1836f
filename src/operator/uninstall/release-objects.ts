import { names } from "../../api/annotations.ts";
import { isNotFound } from "../../kube/errors.ts";
import { hasFinalizer, removeFinalizer } from "../../kube/finalizers.ts";
import type { KubeConnection, KubeObject, ResourceType } from "../../kube/types.ts";
import { eachObject, type Tally } from "./each-object.ts";

/** Tasks have texts of up to 128 KiB: a page stays under 13 MiB. */
const limit = 100;

/**
 * Takes our finalizer from every object of a kind, in all namespaces; those of others stay. Nothing is to do where the kind has no CRD.
 * `seen` is called with each object, whether or not it has the finalizer. Throws `ApiError`.
 */
export async function releaseObjects<T extends KubeObject>(
  client: KubeConnection,
  type: ResourceType<T>,
  signal: AbortSignal,
  seen: (object: T) => void = () => {},
): Promise<Tally> {
  const release = async (object: T): Promise<boolean> => {
    seen(object);
    if (!hasFinalizer(object, names.finalizer)) return false;
    await removeFinalizer(client, type, object, names.finalizer);
    return true;
  };
  try {
    return await eachObject(client.pages(type, { limit, signal }), release, signal);
  } catch (error) {
    if (isNotFound(error)) return { changed: 0, failed: 0 };
    throw error;
  }
}

import type { KubeObject, ListOptions, ObjectKey, ResourceType } from "./types.ts";
import { defined } from "../shared/defined.ts";

type AnyType = ResourceType<KubeObject>;

/** The path of a collection: `/apis/<group>/<version>[/namespaces/<ns>]/<plural>`; of all namespaces if none is given. */
export function collectionPath(type: AnyType, namespace?: string): string {
  const root = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : "";
  return `${root}${scope}/${type.plural}`;
}

/** The path of one object, or of its subresource. Throws if the namespace of a namespaced kind is missing. */
export function objectPath(type: AnyType, key: ObjectKey, subresource?: string): string {
  requireNamespace(type, key);
  const path = `${collectionPath(type, key.namespace)}/${segment(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Throws if the namespace of a namespaced kind is missing. */
export function requireNamespace(type: AnyType, key: Partial<ObjectKey>): void {
  if (type.namespaced && !key.namespace) {
    throw new TypeError(`${type.kind} ${key.name ?? ""} is namespaced, but no namespace was given`);
  }
}

/** The query of a list, or of a watch. */
export function selectorQuery(options: ListOptions): Record<string, string> {
  return {
    ...defined({ labelSelector: options.labelSelector, fieldSelector: options.fieldSelector }),
  };
}

/** `agenttasks ns/name`, the human-readable name of an object in messages. */
export function describeTarget(type: AnyType, key: Partial<ObjectKey> = {}): string {
  const name = [key.namespace, key.name].filter(Boolean).join("/");
  return name === "" ? type.plural : `${type.plural} ${name}`;
}

/** Names come from users and payloads, so they must not leave their segment of the path. */
function segment(text: string): string {
  if (text === "" || text === "." || text === "..") throw new TypeError(`"${text}" is not a name`);
  return encodeURIComponent(text);
}

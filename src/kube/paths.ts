import type { KubeObject, ListOptions, ObjectKey, ResourceType } from "./types.ts";

type AnyType = ResourceType<KubeObject>;

/** The path of a collection: `/apis/<group>/<version>[/namespaces/<ns>]/<plural>`; over all namespaces where none is given. */
export function collectionPath(type: AnyType, namespace?: string): string {
  const root = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : "";
  return `${root}${scope}/${type.plural}`;
}

/** The path of one object, or of its subresource. Throws where a namespaced kind has no namespace. */
export function objectPath(type: AnyType, key: ObjectKey, subresource?: string): string {
  requireNamespace(type, key);
  const path = `${collectionPath(type, key.namespace)}/${segment(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Throws where a namespaced kind has no namespace. */
export function requireNamespace(type: AnyType, key: Partial<ObjectKey>): void {
  if (type.namespaced && !key.namespace) {
    throw new TypeError(`${type.kind} ${key.name ?? ""} lives in a namespace, and none was given`);
  }
}

/** The query of a list, or of a watch. */
export function selectorQuery(options: ListOptions): Record<string, string> {
  return {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}

/** `agenttasks ns/name`, as messages for people name it. */
export function describeTarget(type: AnyType, key: Partial<ObjectKey> = {}): string {
  const name = [key.namespace, key.name].filter(Boolean).join("/");
  return name === "" ? type.plural : `${type.plural} ${name}`;
}

/** Names are given by people and payloads: nothing in them may leave its segment of the path. */
function segment(text: string): string {
  if (text === "" || text === "." || text === "..") throw new TypeError(`"${text}" is not a name`);
  return encodeURIComponent(text);
}

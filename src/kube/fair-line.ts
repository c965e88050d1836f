import type { Request } from "./types.ts";

/** A key that waits for a worker. */
export interface Waiting {
  request: Request;
  sinceMs: number;
}

/**
 * Waiting keys in a fair order: the namespaces take turns, in a namespace its groups take turns, and in a group the oldest key goes first. So a
 * namespace with thousands of keys delays another one by at most one key for each worker.
 */
export interface FairLine {
  has(id: string): boolean;
  add(id: string, waiting: Waiting): void;
  /** Removes a key and returns it. */
  remove(id: string): Waiting | undefined;
  /** Removes and returns the next key of a namespace that `allows` accepts. */
  take(allows: (namespace: string) => boolean): [id: string, waiting: Waiting] | undefined;
  clear(): void;
  readonly size: number;
}

type Group = Map<string, Waiting>;
type Namespace = Map<string, Group>;

/** Creates an empty line. `groupOf` names the group of a key inside its namespace. */
export function createFairLine(groupOf: (request: Request) => string): FairLine {
  // A Map remembers the order of insertion: what had its turn is inserted again at the end.
  const namespaces = new Map<string, Namespace>();
  const places = new Map<string, { namespace: string; group: string }>();

  function add(id: string, waiting: Waiting): void {
    const place = { namespace: waiting.request.namespace, group: groupOf(waiting.request) };
    const namespace = namespaces.get(place.namespace) ?? new Map<string, Group>();
    const group = namespace.get(place.group) ?? new Map<string, Waiting>();
    namespaces.set(place.namespace, namespace.set(place.group, group.set(id, waiting)));
    places.set(id, place);
  }

  function remove(id: string): Waiting | undefined {
    const place = places.get(id);
    const namespace = place && namespaces.get(place.namespace);
    const group = place && namespace?.get(place.group);
    const waiting = group?.get(id);
    if (!place || !namespace || !group) return undefined;
    places.delete(id);
    group.delete(id);
    if (group.size === 0) namespace.delete(place.group);
    if (namespace.size === 0) namespaces.delete(place.namespace);
    return waiting;
  }

  function take(allows: (namespace: string) => boolean): [string, Waiting] | undefined {
    for (const [name, namespace] of namespaces) {
      if (!allows(name)) continue;
      for (const [groupName, group] of namespace) {
        for (const [id, waiting] of group) {
          toTheEnd(namespace, groupName);
          toTheEnd(namespaces, name);
          remove(id);
          return [id, waiting];
        }
      }
    }
    return undefined;
  }

  return {
    has: (id) => places.has(id),
    add,
    remove,
    take,
    clear() {
      namespaces.clear();
      places.clear();
    },
    get size() {
      return places.size;
    },
  };
}

function toTheEnd<V>(map: Map<string, V>, key: string): void {
  const value = map.get(key);
  map.delete(key);
  if (value !== undefined) map.set(key, value);
}

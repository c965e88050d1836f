import type { Change, KubeObject, ObjectKey, Store } from "./types.ts";

/** Returns the index values of an object, for `byIndex`. */
export type IndexFunction<T extends KubeObject> = (object: T) => string[];

/** The writing side of a store. Each write returns the changes it made. */
export interface WritableStore<T extends KubeObject> extends Store<T> {
  put(object: T): Change<T>[];
  remove(key: ObjectKey): Change<T>[];
  /** Replaces the content of the store with these objects. */
  replaceAll(objects: T[]): Change<T>[];
  readonly size: number;
}

/** The index that every store has. */
const byNamespace = "namespace";

/** Creates an empty store. Each write updates the `indexes`. */
export function createStore<T extends KubeObject>(indexes: Record<string, IndexFunction<T>> = {}): WritableStore<T> {
  const objects = new Map<string, T>();
  const index = createIndex({ ...indexes, [byNamespace]: ({ metadata }) => [metadata.namespace ?? ""] });
  const byIndex = (name: string, value: string): T[] => index.ids(name, value).flatMap((id) => objects.get(id) ?? []);

  function put(object: T): Change<T>[] {
    const id = idOf(object.metadata);
    const old = objects.get(id);
    if (old && sameVersion(old, object)) return [];
    if (old) index.remove(id, old);
    objects.set(id, object);
    index.add(id, object);
    return changesOf(old, object);
  }

  function remove(key: ObjectKey): Change<T>[] {
    const id = idOf(key);
    const old = objects.get(id);
    if (!old) return [];
    index.remove(id, old);
    objects.delete(id);
    return [{ old }];
  }

  return {
    get: (key) => objects.get(idOf(key)),
    list: (namespace) => (namespace === undefined ? [...objects.values()] : byIndex(byNamespace, namespace)),
    byIndex,
    put,
    remove,
    replaceAll(next) {
      const keep = new Set(next.map((object) => idOf(object.metadata)));
      const gone = [...objects].filter(([id]) => !keep.has(id)).flatMap(([, old]) => remove(old.metadata));
      return [...gone, ...next.flatMap(put)];
    },
    get size() {
      return objects.size;
    },
  };
}

interface Index<T> {
  add(id: string, object: T): void;
  remove(id: string, object: T): void;
  ids(name: string, value: string): string[];
}

function createIndex<T extends KubeObject>(functions: Record<string, IndexFunction<T>>): Index<T> {
  const tables = new Map(
    Object.entries(functions).map(([name, of]) => [name, { of, ids: new Map<string, Set<string>>() }]),
  );
  return {
    add(id, object) {
      for (const { of, ids } of tables.values()) {
        for (const value of of(object)) ids.set(value, (ids.get(value) ?? new Set()).add(id));
      }
    },
    remove(id, object) {
      for (const { of, ids } of tables.values()) {
        for (const value of of(object)) {
          ids.get(value)?.delete(id);
          if (ids.get(value)?.size === 0) ids.delete(value);
        }
      }
    },
    ids(name, value) {
      const table = tables.get(name);
      if (!table) throw new TypeError(`There is no index "${name}"; there are: ${[...tables.keys()].join(", ")}`);
      return [...(table.ids.get(value) ?? [])];
    },
  };
}

/** An object that was deleted and recreated between two lists is two changes, not one update. */
function changesOf<T extends KubeObject>(old: T | undefined, current: T): Change<T>[] {
  if (!old) return [{ current }];
  return old.metadata.uid === current.metadata.uid ? [{ old, current }] : [{ old }, { current }];
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return (
    a.metadata.resourceVersion !== undefined &&
    a.metadata.resourceVersion === b.metadata.resourceVersion &&
    a.metadata.uid === b.metadata.uid
  );
}

function idOf(key: { namespace?: string; name: string }): string {
  return `${key.namespace ?? ""}/${key.name}`;
}

import { randomUUID } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import { defined } from "../../shared/defined.ts";
import { sameJson } from "../apply.ts";
import { ApiError } from "../errors.ts";
import { describeTarget } from "../paths.ts";
import type { Draft, KubeObject, ListOptions, ObjectKey, ResourceType } from "../types.ts";
import type { ObjectMeta } from "../../shared/object-meta.ts";

type AnyType = ResourceType<KubeObject>;
type Stored = KubeObject & { status?: unknown };

/** The objects of an API server in memory, with the fields that only the server sets. All objects go in and come out as copies. */
export interface Memory {
  has(type: AnyType, key: ObjectKey): boolean;
  /** Throws 404 if there is no such object. */
  read<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey): T;
  /** All objects, or those that a list with these options returns. Throws 400 for field selectors, which are not supported. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): T[];
  /** The version of the newest write. */
  version(): string;
  /** Stores an object as it is, under the next version. */
  put<T extends KubeObject>(type: ResourceType<T>, object: T): T;
  /** Stores a new object without its status. Throws `AlreadyExists`. */
  create<T extends KubeObject>(type: ResourceType<T>, draft: Draft<T>): T;
  /**
   * Replaces an object, but keeps what only the server may change. The part `main` leaves the status as it is; the part `status` changes
   * nothing else. A write that changes nothing keeps the version; one that removes the last finalizer of a deleted object removes it.
   * Throws 404, and 409 if `next` names another version or uid than the stored one.
   */
  update<T extends KubeObject>(type: ResourceType<T>, next: T, part: "main" | "status"): T;
  /** Deletes an object, or marks it as deleted while it has finalizers. Throws 404, and 409 if it has another uid. */
  delete(type: AnyType, key: ObjectKey, uid?: string): void;
}

/** Creates an empty memory; `clock` gives the times of creation and deletion. */
export function createMemory(clock: Pick<Clock, "now">): Memory {
  const tables = new Map<string, Map<string, KubeObject>>();
  let version = 0;
  const table = ({ group, plural }: AnyType): Map<string, KubeObject> => {
    const found = tables.get(`${group}/${plural}`) ?? new Map<string, KubeObject>();
    tables.set(`${group}/${plural}`, found);
    return found;
  };
  const timestamp = (): string =>
    clock
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, "Z");
  const memory: Memory = {
    has: (type, key) => table(type).has(idOf(key)),
    read<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey): T {
      const found = table(type).get(idOf(key));
      if (!found) throw failure(404, "NotFound", `${describeTarget(type, key)} not found`);
      return onTheWire(found) as T;
    },
    list: <T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): T[] =>
      [...table(type).values()].filter(selectedBy(options)).map((object) => onTheWire(object) as T),
    version: () => String(version),
    put<T extends KubeObject>(type: ResourceType<T>, object: T): T {
      const metadata = { ...object.metadata, resourceVersion: String(++version) };
      const isGone = metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length;
      if (isGone) table(type).delete(idOf(metadata));
      else table(type).set(idOf(metadata), onTheWire({ ...object, metadata }));
      return onTheWire({ ...object, metadata });
    },
    create<T extends KubeObject>(type: ResourceType<T>, draft: Draft<T>): T {
      const { status: _status, ...object } = draft as Stored;
      const { deletionTimestamp: _deleted, ...given } = object.metadata;
      if (memory.has(type, given)) {
        throw failure(409, "AlreadyExists", `${describeTarget(type, given)} already exists`);
      }
      const metadata = { ...given, uid: randomUUID(), generation: 1, creationTimestamp: timestamp() };
      return memory.put(type, { ...object, metadata } as T);
    },
    update<T extends KubeObject>(type: ResourceType<T>, next: T, part: "main" | "status"): T {
      const old = memory.read(type, next.metadata);
      requireFresh(type, old, next.metadata);
      const after = part === "status" ? withStatusOf(next, old) : withServerFields(withStatusOf(old, next), old);
      return sameJson(after, old) ? old : memory.put(type, after);
    },
    delete(type, key, uid) {
      const old = memory.read(type, key);
      requireFresh(type, old, defined({ uid }));
      const generation = old.metadata.generation === undefined ? undefined : old.metadata.generation + 1;
      const metadata = { deletionTimestamp: timestamp(), ...old.metadata, ...defined({ generation }) };
      if (old.metadata.deletionTimestamp === undefined) memory.put(type, { ...old, metadata });
    },
  };
  return memory;
}

/** An `ApiError` as the server would return it. */
export function failure(status: number, reason: string, message = reason): ApiError {
  return new ApiError({ status, reason, message });
}

function requireFresh(type: AnyType, old: KubeObject, seen: Partial<ObjectMeta>): void {
  const isSame = (["resourceVersion", "uid"] as const).every(
    (field) => seen[field] === undefined || seen[field] === old.metadata[field],
  );
  if (!isSame) throw failure(409, "Conflict", `${describeTarget(type, old.metadata)}: the object has been modified`);
}

/** `to` with the status of `from`. */
function withStatusOf<T extends KubeObject>(from: T, to: T): T {
  const { status } = from as Stored;
  const { status: _status, ...rest } = to as Stored;
  return { ...rest, ...defined({ status }) } as T;
}

function withServerFields<T extends KubeObject>(next: T, old: T): T {
  const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion } = old.metadata;
  const isSameSpec = sameJson({ ...next, metadata: {} }, { ...old, metadata: {} });
  const metadata = {
    ...next.metadata,
    uid,
    creationTimestamp,
    deletionTimestamp,
    generation: generation === undefined || isSameSpec ? generation : generation + 1,
    resourceVersion,
  };
  return { ...next, metadata: { name: metadata.name, ...defined(metadata) } };
}

function selectedBy({ namespace, labelSelector, fieldSelector }: ListOptions): (object: KubeObject) => boolean {
  if (fieldSelector !== undefined) throw failure(400, "BadRequest", "the fake client has no field selectors");
  const requirements = (labelSelector ?? "").match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  const matchers = requirements.map((requirement) => labelMatcher(requirement.trim()));
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    matchers.every((matches) => matches(metadata.labels ?? {}));
}

type LabelMatcher = (labels: Record<string, string>) => boolean;

/** Matches one requirement of a label selector. */
function labelMatcher(requirement: string): LabelMatcher {
  const matcher = existence(requirement) ?? equality(requirement) ?? membership(requirement);
  if (!matcher) throw failure(400, "BadRequest", `no label selector: ${requirement}`);
  return matcher;
}

/** `a` or `!a`. */
function existence(requirement: string): LabelMatcher | undefined {
  const [, not, key] = /^(!?)\s*([\w./-]+)$/.exec(requirement) ?? [];
  return key === undefined ? undefined : (labels) => key in labels !== (not === "!");
}

/** `a=b`, `a==b` or `a!=b`. */
function equality(requirement: string): LabelMatcher | undefined {
  const [, key, sign, value] = /^([\w./-]+)\s*(==?|!=)\s*([\w.-]*)$/.exec(requirement) ?? [];
  return key === undefined ? undefined : (labels) => (key in labels && labels[key] === value) !== (sign === "!=");
}

/** `a in (b,c)` or `a notin (b,c)`. */
function membership(requirement: string): LabelMatcher | undefined {
  const [, key, verb, list = ""] = /^([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(requirement) ?? [];
  const values = list.split(",").map((value) => value.trim());
  return key === undefined
    ? undefined
    : (labels) => (key in labels && values.includes(labels[key] ?? "")) !== (verb === "notin");
}

/** A copy as JSON, without undefined fields. */
function onTheWire<T>(object: T): T {
  return JSON.parse(JSON.stringify(object)) as T;
}

function idOf(key: { namespace?: string; name: string }): string {
  return `${key.namespace ?? ""}/${key.name}`;
}

import { randomUUID } from "node:crypto";
import { ApiError } from "./errors.ts";
import { describeTarget } from "./paths.ts";
import type { JsonPatch, KubeClient, KubeObject, ObjectKey, ResourceType } from "./types.ts";
import { defined } from "../shared/defined.ts";

type AnyType = ResourceType<KubeObject>;
type Json = Record<string, unknown>;

/** A call that a test can inspect or make fail. */
export interface FakeCall {
  verb: keyof KubeClient;
  plural: string;
  key: Partial<ObjectKey>;
  body?: unknown;
}

/** An API server in memory, for unit tests: versions, conflicts, finalizers and generations, but no schemas, selectors or access. */
export interface FakeClient extends KubeClient {
  /** All calls, oldest first. */
  readonly calls: FakeCall[];
  /** Runs before each call; it may wait, and the caller gets the error that it throws. Replace it to simulate failures. */
  before: (call: FakeCall) => void | Promise<void>;
  /** The objects that exist now. */
  objects<T extends KubeObject>(type: ResourceType<T>): T[];
  /** Stores an object without any check. */
  seed<T extends KubeObject>(type: ResourceType<T>, object: T): T;
}

/** Creates an empty fake client. */
export function createFakeClient(): FakeClient {
  const state = createState();
  const calls: FakeCall[] = [];
  const called: Called = async (call) => {
    calls.push(copy(call));
    await client.before(call);
  };
  const client: FakeClient = {
    calls,
    before: () => undefined,
    objects: state.all,
    seed: (type, object) => state.save(type, { ...object, metadata: { uid: randomUUID(), ...object.metadata } }),
    ...readCalls(state, called),
    ...writeCalls(state, called),
    ...patchCalls(state, called),
  };
  return client;
}

type Called = (call: FakeCall) => Promise<void>;
type State = ReturnType<typeof createState>;

function createState() {
  const tables = new Map<string, Map<string, KubeObject>>();
  let version = 0;
  const table = (type: AnyType): Map<string, KubeObject> => {
    const id = `${type.group}/${type.plural}`;
    const found = tables.get(id) ?? new Map<string, KubeObject>();
    tables.set(id, found);
    return found;
  };
  return {
    has: (type: AnyType, key: ObjectKey) => table(type).has(idOf(key)),
    all: <T extends KubeObject>(type: ResourceType<T>) => [...table(type).values()].map((object) => copy(object) as T),
    version: () => String(version),
    read<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey): T {
      const found = table(type).get(idOf(key));
      if (!found) throw failure(404, "NotFound", `${describeTarget(type, key)} not found`);
      return copy(found) as T;
    },
    /** Stores the object under the next version; removes it if it is being deleted and has no finalizer. */
    save<T extends KubeObject>(type: ResourceType<T>, object: KubeObject & { status?: unknown }): T {
      const saved = copy({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } });
      const leaving = saved.metadata.deletionTimestamp !== undefined && !saved.metadata.finalizers?.length;
      if (leaving) table(type).delete(idOf(saved.metadata));
      else table(type).set(idOf(saved.metadata), saved);
      return copy(saved) as T;
    },
  };
}

function readCalls(state: State, called: Called): Pick<KubeClient, "get" | "find" | "list"> {
  return {
    async get(type, key) {
      await called({ verb: "get", plural: type.plural, key });
      return state.read(type, key);
    },
    async find(type, key) {
      await called({ verb: "find", plural: type.plural, key });
      return state.has(type, key) ? state.read(type, key) : undefined;
    },
    async list(type, options) {
      const namespace = options?.namespace;
      await called({ verb: "list", plural: type.plural, key: defined({ namespace }) });
      const items = state.all(type).filter(({ metadata }) => !namespace || metadata.namespace === namespace);
      return { items, resourceVersion: state.version() };
    },
  };
}

function writeCalls(
  state: State,
  called: Called,
): Pick<KubeClient, "create" | "replace" | "replaceStatus" | "delete" | "createSubresource"> {
  return {
    async create(type, object) {
      await called({ verb: "create", plural: type.plural, key: object.metadata, body: object });
      if (state.has(type, object.metadata)) {
        throw failure(409, "AlreadyExists", `${describeTarget(type, object.metadata)} already exists`);
      }
      return state.save(type, born(object));
    },
    async replace(type, object) {
      await called({ verb: "replace", plural: type.plural, key: object.metadata, body: object });
      const old = current(state, type, object) as KubeObject & { status?: unknown };
      return state.save(type, "status" in old ? { ...object, status: old.status } : object);
    },
    async replaceStatus(type, object) {
      await called({ verb: "replaceStatus", plural: type.plural, key: object.metadata, body: object });
      const { status } = object as { status?: unknown };
      return state.save(type, { ...current(state, type, object), status });
    },
    async delete(type, key, options) {
      await called({ verb: "delete", plural: type.plural, key, body: options });
      if (!state.has(type, key)) return;
      const old = state.read(type, key);
      if (options?.uid !== undefined && options.uid !== old.metadata.uid) throw failure(409, "Conflict", "another uid");
      state.save(type, { ...old, metadata: { ...old.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
    },
    async createSubresource(type, key, ...[subresource, body]) {
      await called({ verb: "createSubresource", plural: `${type.plural}/${subresource}`, key, body });
      throw failure(404, "NotFound", `the fake has no ${subresource} of ${type.plural}: replace createSubresource`);
    },
  };
}

function patchCalls(state: State, called: Called): Pick<KubeClient, "mergePatch" | "jsonPatch" | "apply"> {
  const patched = <T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: (json: Json) => unknown): T =>
    state.save(type, patch(state.read(type, key) as unknown as Json) as KubeObject);
  return {
    async mergePatch(type, key, patch) {
      await called({ verb: "mergePatch", plural: type.plural, key, body: patch });
      return patched(type, key, (json) => merge(json, patch as Json));
    },
    async jsonPatch(type, key, patch) {
      await called({ verb: "jsonPatch", plural: type.plural, key, body: patch });
      return patched(type, key, (json) => applyJsonPatch(json, patch));
    },
    async apply(type, object) {
      await called({ verb: "apply", plural: type.plural, key: object.metadata, body: object });
      if (!state.has(type, object.metadata)) return state.save(type, born(object));
      return patched(type, object.metadata, (json) => merge(json, object as unknown as Json));
    },
  };
}

function born(object: { metadata: { name: string } }): KubeObject {
  return { ...object, metadata: { ...object.metadata, uid: randomUUID(), generation: 1 } };
}

/** The stored object, if the writer has read its newest version; else throws a conflict. */
function current<T extends KubeObject>(state: State, type: ResourceType<T>, object: T): T {
  const old = state.read(type, object.metadata);
  const seen = object.metadata.resourceVersion;
  if (seen === undefined || seen === old.metadata.resourceVersion) return old;
  throw failure(409, "Conflict", `${describeTarget(type, object.metadata)}: the object has been modified`);
}

/** An `ApiError` as the server would return it. */
export function failure(status: number, reason: string, message = reason): ApiError {
  return new ApiError({ status, reason, message });
}

function merge(into: unknown, patch: Json): unknown {
  const out: Json = isRecord(into) ? { ...into } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else out[name] = isRecord(value) ? merge(out[name], value) : value;
  }
  return out;
}

function applyJsonPatch(json: Json, patch: JsonPatch): Json {
  const out = copy(json);
  for (const { op, path, value } of patch) {
    const names = path
      .slice(1)
      .split("/")
      .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = names.pop() ?? "";
    const parent = names.reduce<unknown>((at, name) => (at as Json | undefined)?.[name], out) as
      | Json
      | unknown[]
      | undefined;
    if (!parent) throw failure(422, "Invalid", `no such path: ${path}`);
    change(parent, last, { op, value });
  }
  return out;
}

function change(
  parent: Json | unknown[],
  name: string,
  { op, value }: { op: JsonPatch[number]["op"]; value: unknown },
): void {
  const fields = parent as Json;
  if (op === "test") {
    if (JSON.stringify(fields[name] ?? null) !== JSON.stringify(value))
      throw failure(422, "Invalid", "testing value failed");
  } else if (Array.isArray(parent)) {
    const at = name === "-" ? parent.length : Number(name);
    parent.splice(at, op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
  } else if (op === "remove") delete fields[name];
  else fields[name] = value;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function idOf(key: { namespace?: string; name: string }): string {
  return `${key.namespace ?? ""}/${key.name}`;
}

function copy<T>(value: T): T {
  return structuredClone(value);
}

import { randomUUID } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import { defined } from "../shared/defined.ts";
import { createMemory, failure, type Memory } from "./memory/testing.ts";
import { jsonPatched, mergePatched } from "./patches/testing.ts";
import { requireNamespace } from "./paths.ts";
import type { Draft, KubeClient, KubeObject, ObjectKey, ResourceType, WriteOptions } from "./types.ts";

/** A call that a test can inspect or make fail. */
export interface FakeCall {
  verb: keyof KubeClient;
  plural: string;
  key: Partial<ObjectKey>;
  body?: unknown;
}

/**
 * An API server in memory, for unit tests: versions, conflicts, uids, status subresources, finalizers, generations and label selectors, as
 * on a real server (`fake-client.cluster.test.ts` compares both). It has no schemas, defaults, field selectors, dry runs or access
 * rules.
 */
export interface FakeClient extends KubeClient {
  /** All calls, oldest first. */
  readonly calls: FakeCall[];
  /** Runs before each call; it may wait, and the caller gets the error that it throws. Replace it to simulate failures. */
  before: (call: FakeCall) => unknown;
  /** Runs after each call that succeeded; the caller gets the error that it throws, as if the answer were lost. */
  after: (call: FakeCall) => unknown;
  /** The objects that exist now. */
  objects<T extends KubeObject>(type: ResourceType<T>): T[];
  /** The only object of the type; throws unless there is exactly one. */
  only<T extends KubeObject>(type: ResourceType<T>): T;
  /** Stores an object without any check. */
  seed<T extends KubeObject>(type: ResourceType<T>, object: T): T;
  /** Answers creates of this type from now on and stores nothing, as the API server does for reviews. */
  review<T extends KubeObject>(type: ResourceType<T>, answer: (draft: Draft<T>) => T): void;
}

/** Creates an empty fake client; `clock` gives the times of creation and deletion, by default the start of 2026. */
export function createFakeClient({
  clock = { now: () => new Date("2026-01-01T00:00:00Z") },
}: { clock?: Pick<Clock, "now"> } = {}): FakeClient {
  const memory = createMemory(clock);
  const reviews: Reviews = new Map();
  const calls: FakeCall[] = [];
  const perform: Perform = async (call, work) => {
    calls.push(structuredClone(call));
    await client.before(call);
    const answer = work();
    await client.after(call);
    return answer;
  };
  const client: FakeClient = {
    calls,
    before: () => undefined,
    after: () => undefined,
    objects: (type) => memory.list(type),
    only(type) {
      const [object, ...others] = memory.list(type);
      if (object && others.length === 0) return object;
      throw new Error(`there is not exactly one of ${type.plural}`);
    },
    seed: (type, object) => memory.put(type, { ...object, metadata: { uid: randomUUID(), ...object.metadata } }),
    review: <T extends KubeObject>(type: ResourceType<T>, answer: (draft: Draft<T>) => T) =>
      void reviews.set(type.plural, (draft) => answer(draft as Draft<T>)),
    ...readCalls(memory, perform),
    ...writeCalls(memory, perform, reviews),
    ...patchCalls(memory, perform),
  };
  return client;
}

type Perform = <T>(call: FakeCall, work: () => T) => Promise<T>;
/** By plural: the map loses the type that connects an answer with its resource type. */
type Reviews = Map<string, (draft: object) => KubeObject>;

function readCalls(memory: Memory, perform: Perform): Pick<KubeClient, "get" | "find" | "list"> {
  return {
    get: (type, key) => perform({ verb: "get", plural: type.plural, key }, () => memory.read(type, key)),
    find: (type, key) =>
      perform({ verb: "find", plural: type.plural, key }, () =>
        memory.has(type, key) ? memory.read(type, key) : undefined,
      ),
    list(type, { transform, namespace, labelSelector, fieldSelector } = {}) {
      const options = defined({ namespace, labelSelector, fieldSelector });
      return perform({ verb: "list", plural: type.plural, key: defined({ namespace }) }, () => {
        const items = memory.list(type, options);
        return { items: transform ? items.map(transform) : items, resourceVersion: memory.version() };
      });
    },
  };
}

function writeCalls(
  memory: Memory,
  perform: Perform,
  reviews: Reviews,
): Pick<KubeClient, "create" | "replace" | "replaceStatus" | "delete" | "createSubresource"> {
  return {
    create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options?: WriteOptions) {
      requireWritable(type, object.metadata, options);
      return perform({ verb: "create", plural: type.plural, key: object.metadata, body: object }, () => {
        const review = reviews.get(type.plural);
        return review ? (review(object) as T) : memory.create(type, object);
      });
    },
    replace(type, object, options) {
      requireWritable(type, object.metadata, options);
      return perform({ verb: "replace", plural: type.plural, key: object.metadata, body: object }, () =>
        memory.update(type, object, "main"),
      );
    },
    replaceStatus(type, object, options) {
      requireWritable(type, object.metadata, options);
      return perform({ verb: "replaceStatus", plural: type.plural, key: object.metadata, body: object }, () =>
        memory.update(type, object, "status"),
      );
    },
    delete(type, key, { uid, gracePeriodSeconds, ...options } = {}) {
      requireWritable(type, key, options);
      const body = defined({ uid, gracePeriodSeconds });
      return perform({ verb: "delete", plural: type.plural, key, body }, () => {
        if (memory.has(type, key)) memory.delete(type, key, uid);
      });
    },
    createSubresource: (type, key, ...[subresource, body]) =>
      perform({ verb: "createSubresource", plural: `${type.plural}/${subresource}`, key, body }, () => {
        throw failure(404, "NotFound", `the fake has no ${subresource} of ${type.plural}: replace createSubresource`);
      }),
  };
}

function patchCalls(memory: Memory, perform: Perform): Pick<KubeClient, "mergePatch" | "jsonPatch" | "apply"> {
  const patch = <T extends KubeObject>(given: {
    type: ResourceType<T>;
    key: ObjectKey;
    patched: (old: T) => T;
    subresource?: string | undefined;
  }): T => {
    const { type, key, patched, subresource = "main" } = given;
    if (subresource !== "main" && subresource !== "status") {
      throw failure(404, "NotFound", `the fake has no ${subresource} of ${type.plural}`);
    }
    const old = memory.read(type, key);
    return memory.update(type, patched(old), subresource);
  };
  return {
    mergePatch<T extends KubeObject>(
      type: ResourceType<T>,
      key: ObjectKey,
      body: object,
      options: PatchOptions = {},
    ): Promise<T> {
      requireWritable(type, key, options);
      const patched = (old: T): T => mergePatched(old, body) as T;
      return perform({ verb: "mergePatch", plural: type.plural, key, body }, () =>
        patch({ type, key, patched, subresource: options.subresource }),
      );
    },
    jsonPatch<T extends KubeObject>(
      type: ResourceType<T>,
      key: ObjectKey,
      body: Parameters<KubeClient["jsonPatch"]>[2],
      options: PatchOptions = {},
    ): Promise<T> {
      requireWritable(type, key, options);
      const patched = (old: T): T => jsonPatched(old, body);
      return perform({ verb: "jsonPatch", plural: type.plural, key, body }, () =>
        patch({ type, key, patched, subresource: options.subresource }),
      );
    },
    apply<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options: PatchOptions): Promise<T> {
      requireWritable(type, object.metadata, options);
      const patched = (old: T): T => mergePatched(old, object) as T;
      return perform({ verb: "apply", plural: type.plural, key: object.metadata, body: object }, () =>
        memory.has(type, object.metadata)
          ? patch({ type, key: object.metadata, patched, subresource: options.subresource })
          : memory.create(type, object),
      );
    },
  };
}

type PatchOptions = WriteOptions & { subresource?: string };

function requireWritable(type: ResourceType<KubeObject>, key: Partial<ObjectKey>, options?: WriteOptions): void {
  requireNamespace(type, key);
  if (options?.dryRun) throw new TypeError("the fake client has no dry runs");
}

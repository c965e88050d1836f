import type { ObjectMeta } from "../shared/object-meta.ts";

/** Types of the operator runtime. It knows Kubernetes, but none of our resources. */

/** Any object of the API server. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** An object as it is sent: the server fills in the rest. */
export type Draft<T extends KubeObject> = Omit<T, "metadata"> & {
  metadata: Pick<ObjectMeta, "name"> & Partial<ObjectMeta>;
};

/** The REST resource of a type; the type parameter carries its shape. */
export interface ResourceType<T extends KubeObject> {
  group: string;
  version: string;
  kind: string;
  /** Plural, lower case, as in the path. */
  plural: string;
  namespaced: boolean;
  /** Never set; ties `T` to the value. */
  readonly _type?: T;
}

/** Names one object; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  namespace?: string;
  name: string;
}

/** Result of a list. */
export interface KubeList<T> {
  items: T[];
  resourceVersion: string;
}

/** Narrows a list or a watch. */
export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  signal?: AbortSignal;
}

/** How the pages of a list are read. */
export interface PageOptions<T> {
  /** Page size; default 500. Use fewer if objects are large, because a page is parsed at once. */
  pageSize?: number;
  /** Removes fields that the caller does not need, page by page. */
  transform?: (object: T) => T;
}

/** Options of one write. */
export interface WriteOptions {
  fieldManager?: string;
  dryRun?: boolean;
  signal?: AbortSignal;
}

/** One operation of RFC 6902. */
export type JsonPatch = { op: "add" | "remove" | "replace" | "test"; path: string; value?: unknown }[];

/** Calls to the API server. Every method throws `ApiError`. Objects go in and come out as plain JSON. */
export interface KubeClient {
  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T>;
  /** Like `get`, but returns undefined for 404. */
  find<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T | undefined>;
  /** Reads every page. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions & PageOptions<T>): Promise<KubeList<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  replace<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** JSON merge patch (RFC 7386). */
  mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: object,
    options?: WriteOptions & { subresource?: string },
  ): Promise<T>;
  jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: JsonPatch,
    options?: WriteOptions & { subresource?: string },
  ): Promise<T>;
  /** Server-side apply with force: we own what we send. */
  apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: Draft<T>,
    options: WriteOptions & { fieldManager: string; subresource?: string },
  ): Promise<T>;
  /** Replaces the status subresource; `object.metadata.resourceVersion` guards against lost updates. */
  replaceStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Deletes with background propagation; 404 is success. */
  delete<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    options?: WriteOptions & { uid?: string; gracePeriodSeconds?: number },
  ): Promise<void>;
  /** Creates a subresource object, such as `token` of a ServiceAccount or `eviction` of a Pod. */
  createSubresource<R>(
    type: ResourceType<KubeObject>,
    key: ObjectKey,
    subresource: string,
    body: object,
    signal?: AbortSignal,
  ): Promise<R>;
}

/** One event of a watch. A bookmark has only a newer `resourceVersion`. */
export interface WatchEvent<T extends KubeObject> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

/** Narrows a watch and sets its start. */
export interface WatchOptions extends ListOptions {
  /** Only changes after this version are reported. */
  resourceVersion: string;
  /** The server ends the watch after this many seconds. */
  timeoutSeconds: number;
}

/** Streams changes; an informer needs it in addition to `list`. */
export interface Watcher {
  /** Ends when the server ends it; throws `ApiError` (410: the version is too old; 0: the connection broke). */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

/** A client with its connections: calls, watches and `close`. */
export interface KubeConnection extends KubeClient, Watcher {
  close(): Promise<void>;
}

/** The cache of one kind. */
export interface Store<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): T[];
  /** Objects for which the index function `index` gave `value`. */
  byIndex(index: string, value: string): T[];
}

/** One change: `old` is absent for additions, `current` for deletions. */
export interface Change<T extends KubeObject> {
  old?: T;
  current?: T;
  /** True for objects that existed before: from the first list, or from the store when a listener is added later. */
  initial?: boolean;
}

/** Lists, then watches, until it is stopped; recovers from resets, 410 and an unreachable server. */
export interface Informer<T extends KubeObject> {
  readonly store: Store<T>;
  readonly hasSynced: boolean;
  /** Called for each change; an error that a listener throws is logged and counted, never fatal. Returns a function that removes the listener. */
  onChange(listener: (change: Change<T>) => void): () => void;
  start(signal: AbortSignal): void;
  /** Resolves when the first list is in the store; rejects when `signal` aborts. */
  waitForSync(signal: AbortSignal): Promise<void>;
}

/** Address of the API server, and our credentials. */
export interface KubeConfig {
  /** Base URL, such as `https://10.96.0.1:443`. */
  server: string;
  tls: KubeTls;
  /** The `Authorization` header for the next request, or undefined (client certificates); called for each request. */
  authorization?: () => Promise<string | undefined>;
  /** The namespace of our pod or of the context; `default` if neither has one. */
  namespace: string;
}

/** TLS material, PEM. */
export interface KubeTls {
  ca?: string;
  cert?: string;
  key?: string;
  /** The name in the server's certificate, if it is not the host of the URL. */
  servername?: string;
  /** False only if a kubeconfig has `insecure-skip-tls-verify`. */
  rejectUnauthorized?: boolean;
}

/** One object to reconcile. */
export interface Request {
  namespace: string;
  name: string;
}

/** Result of a reconcile: nothing more to do, or reconcile again later. */
export interface Result {
  requeueAfterMs?: number;
}

/** Nothing more to do until something changes. */
export const done: Result = {};

/** Brings one object to its desired state. Objects from a store must not be changed. An error means a retry with back-off; a `TerminalError` means no retry before the object changes. */
export type Reconciler = (request: Request, signal: AbortSignal) => Promise<Result>;

/** A condition as in the Kubernetes API conventions. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  /** CamelCase, for machines. */
  reason: string;
  /** A human-readable sentence. */
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

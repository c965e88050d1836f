import { type Backoff, delayMs } from "../shared/backoff.ts";
import { type Clock, sleep } from "../shared/clock.ts";
import { defined } from "../shared/defined.ts";
import type { Logger } from "../shared/log.ts";
import { ApiError, isGone, isNotFound, isUnreachable } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import { type IndexFunction, createStore } from "./store.ts";
import type { Change, Informer, KubeClient, KubeObject, ResourceType, WatchEvent, Watcher } from "./types.ts";

const watchSeconds = 300;
/** The API server sends a bookmark about once a minute, so two and a half minutes without a byte mean that the connection is dead. */
const livenessMs = 150_000;
const retry: Backoff = { baseMs: 200, maxMs: 15_000, jitter: 0.5 };
/** A server may ask for a longer delay than the back-off, but not longer than this, so that the cache does not become too old. */
const maxRetryAfterMs = 60_000;

/** Dependencies of an informer. */
export interface InformerDeps {
  client: Pick<KubeClient, "list"> & Watcher;
  clock: Clock;
  log: Logger;
  metrics?: KubeMetrics;
  /** Called when a list or watch broke or was not answered. */
  onUnreachable?: () => void;
}

/** Options of an informer: which objects it caches, and how. */
export interface InformerOptions<T extends KubeObject> {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  indexes?: Record<string, IndexFunction<T>>;
  /** Removes unused fields before an object is stored; `managedFields` are always removed. */
  transform?: (object: T) => T;
  /** Page size of a list; default 500. */
  pageSize?: number;
  /** How long a watch may be silent; default 150 s. */
  livenessMs?: number;
}

/**
 * An up-to-date cache of one kind: it lists, then watches from there with bookmarks. After 410 it lists again. It also lists again after 404
 * (the CRD is missing) and keeps the cached objects until the kind is served. All failures except 410 are retried without limit, with back-off
 * (200 ms to 15 s, or longer if the server asks for it, up to 60 s). Only one list or watch runs at a time.
 */
export function createInformer<T extends KubeObject>(
  deps: InformerDeps,
  type: ResourceType<T>,
  options: InformerOptions<T> = {},
): Informer<T> {
  return new ListWatchInformer(deps, type, options);
}

class ListWatchInformer<T extends KubeObject> implements Informer<T> {
  readonly #deps: InformerDeps;
  readonly #type: ResourceType<T>;
  readonly #options: InformerOptions<T>;
  readonly #store;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #started = false;
  /** The version at which the next watch starts; undefined means list first. */
  #resourceVersion: string | undefined;
  #failures = 0;

  constructor(deps: InformerDeps, type: ResourceType<T>, options: InformerOptions<T>) {
    this.#deps = deps;
    this.#type = type;
    this.#options = options;
    this.#store = createStore<T>(options.indexes);
  }

  get store() {
    return this.#store;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  onChange(listener: (change: Change<T>) => void): () => void {
    const own = (change: Change<T>): void => listener(change);
    this.#listeners.add(own);
    for (const current of this.#store.list()) this.#notify(own, { current, initial: true });
    return () => this.#listeners.delete(own);
  }

  start(signal: AbortSignal): void {
    if (this.#started) throw new Error(`the informer of ${this.#type.plural} was started twice`);
    this.#started = true;
    void this.#run(signal);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    await Promise.race([this.#synced.promise, aborted.promise]).finally(() =>
      signal.removeEventListener("abort", onAbort),
    );
  }

  /** Never rejects: failures are logged, counted and retried until `signal` aborts. */
  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = await this.#listAndWatch(signal).then(
        () => undefined,
        (thrown: unknown) => thrown ?? new Error("unknown failure"),
      );
      if (signal.aborted) return;
      if (error !== undefined) await this.#recover(error, signal).catch(() => undefined); // rejects only on abort
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    this.#resourceVersion ??= await this.#relist(signal);
    const startedMs = this.#deps.clock.now().getTime();
    const events = await this.#watchOnce(this.#resourceVersion, signal);
    const lastedMs = this.#deps.clock.now().getTime() - startedMs;
    if (events === 0 && lastedMs < 1_000) throw new Error("the watch ended as soon as it started");
    this.#failures = 0;
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { items, resourceVersion } = await this.#deps.client.list(this.#type, {
      ...this.#selectors(),
      ...defined({ pageSize: this.#options.pageSize }),
      transform: (object) => this.#trim(object),
      signal,
    });
    const changes = this.#store.replaceAll(items);
    const initial = !this.#hasSynced;
    this.#hasSynced = true;
    for (const change of changes) this.#notifyListeners(initial ? { ...change, initial } : change);
    this.#synced.resolve();
    this.#deps.log.debug({ kind: this.#type.kind, objects: items.length, resourceVersion }, "listed");
    return resourceVersion;
  }

  /** Runs one watch to its end; returns the number of its events. Ends it after a silence longer than the liveness limit. */
  async #watchOnce(resourceVersion: string, signal: AbortSignal): Promise<number> {
    const silence = new AbortController();
    const boundMs = this.#options.livenessMs ?? livenessMs;
    const arm = (): (() => void) =>
      this.#deps.clock.after(boundMs, () =>
        silence.abort(
          new ApiError({ status: 0, reason: "Silent", message: `the watch received nothing for ${boundMs / 1000} s` }),
        ),
      );
    let disarm = arm();
    let events = 0;
    try {
      const stream = this.#deps.client.watch(this.#type, {
        ...this.#selectors(),
        resourceVersion,
        timeoutSeconds: Math.round(watchSeconds * (1 + Math.random() * 0.2)),
        signal: AbortSignal.any([signal, silence.signal]),
      });
      for await (const event of stream) {
        disarm();
        disarm = arm();
        this.#failures = 0;
        events += 1;
        this.#take(event);
      }
      return events;
    } finally {
      disarm();
    }
  }

  #take({ type, object }: WatchEvent<T>): void {
    // A bookmark is not a complete object: only stored objects are trimmed.
    if (type === "ADDED" || type === "MODIFIED") this.#notifyAll(this.#store.put(this.#trim(object)));
    if (type === "DELETED") this.#notifyAll(this.#store.remove(object.metadata));
    this.#resourceVersion = object.metadata.resourceVersion ?? this.#resourceVersion;
  }

  #notifyAll(changes: Iterable<Change<T>>): void {
    for (const change of changes) this.#notifyListeners(change);
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const { reason, retryAfterMs = 0 } = error instanceof ApiError ? error : { reason: "Unexpected" };
    const waitMs = Math.max(delayMs(retry, this.#failures), Math.min(retryAfterMs, maxRetryAfterMs));
    this.#deps.metrics?.informerFailures.inc({ kind: this.#type.kind, reason });
    if (isUnreachable(error)) this.#deps.onUnreachable?.();
    if (isGone(error) || isNotFound(error)) this.#resourceVersion = undefined;
    this.#explain(error, { kind: this.#type.kind, waitMs, failures: this.#failures });
    await sleep(this.#deps.clock, waitMs, signal);
  }

  #notifyListeners(change: Change<T>): void {
    for (const listener of this.#listeners) this.#notify(listener, change);
  }

  #notify(listener: (change: Change<T>) => void, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#deps.metrics?.informerFailures.inc({ kind: this.#type.kind, reason: "ListenerThrew" });
      this.#deps.log.error({ error, kind: this.#type.kind }, "a listener of an informer threw");
    }
  }

  #explain(error: unknown, fields: object): void {
    const { log } = this.#deps;
    const { plural, group } = this.#type;
    if (isGone(error)) return log.info({ ...fields, error }, "the version of the watch is too old, listing again");
    if (isNotFound(error)) {
      return log.warn(
        { ...fields, crd: `${plural}.${group}` },
        "the API server does not serve this kind: is its CRD installed?",
      );
    }
    log.warn({ ...fields, error }, "list or watch failed, will retry");
  }

  #trim(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as T["metadata"] & { managedFields?: unknown };
    const trimmed = { ...object, metadata };
    return this.#options.transform?.(trimmed) ?? trimmed;
  }

  #selectors(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...defined({ namespace, labelSelector, fieldSelector }),
    };
  }
}

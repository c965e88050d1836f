import { type Backoff, delayMs } from "../shared/backoff.ts";
import { type Clock, sleep } from "../shared/clock.ts";
import { defined } from "../shared/defined.ts";
import type { Logger } from "../shared/log.ts";
import { ApiError, isGone, isNotFound } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import { type IndexFunction, createStore } from "./store.ts";
import type { Change, Informer, KubeClient, KubeObject, ResourceType, WatchEvent, Watcher } from "./types.ts";

const watchSeconds = 300;
/** The API server sends a bookmark about once a minute: two and a half without a byte mean that nobody is there. */
const livenessMs = 150_000;
const retry: Backoff = { baseMs: 200, maxMs: 15_000, jitter: 0.5 };
/** A server may ask for more patience than that, but not for so much that the copy grows old. */
const maxRetryAfterMs = 60_000;

/** What an informer needs. */
export interface InformerDeps {
  client: Pick<KubeClient, "list"> & Watcher;
  clock: Clock;
  log: Logger;
  metrics?: KubeMetrics;
}

/** Which objects an informer holds, and how. */
export interface InformerOptions<T extends KubeObject> {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  indexes?: Record<string, IndexFunction<T>>;
  /** Drops what nobody reads, before it is stored; `managedFields` always go. */
  transform?: (object: T) => T;
  /** Objects in one answer of a list; 500. */
  pageSize?: number;
  /** How long a watch may say nothing at all; 150 s. */
  livenessMs?: number;
}

/**
 * A local copy of one kind, kept current: list, then watch with bookmarks from there; 410 lists again, and so does 404, where the kind is not
 * served (its CRD is missing): the copy stays as it was until it is. Every failure but 410 is tried again with back-off (200 ms to 15 s, or longer where the server asks for it, up to 60 s), for ever.
 * Only one list or watch runs at a time.
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
  /** Where the next watch begins; undefined means list first. */
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

  /** Never rejects: whatever breaks is logged, counted and tried again until `signal` aborts. */
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
    if (events === 0 && lastedMs < 1_000) throw new Error("the watch ended as soon as it began");
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
    for (const change of changes) this.#notifyAll(initial ? { ...change, initial } : change);
    this.#synced.resolve();
    this.#deps.log.debug({ kind: this.#type.kind, objects: items.length, resourceVersion }, "listed");
    return resourceVersion;
  }

  /** One watch to its end; answers how many events it gave. A silence longer than the liveness bound breaks it. */
  async #watchOnce(resourceVersion: string, signal: AbortSignal): Promise<number> {
    const silence = new AbortController();
    const boundMs = this.#options.livenessMs ?? livenessMs;
    const arm = (): (() => void) =>
      this.#deps.clock.after(boundMs, () =>
        silence.abort(new ApiError({ status: 0, reason: "Silent", message: `nothing heard for ${boundMs / 1000} s` })),
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
    // A bookmark is no whole object: only what is stored is trimmed.
    if (type === "ADDED" || type === "MODIFIED") this.#tell(this.#store.put(this.#trim(object)));
    if (type === "DELETED") this.#tell(this.#store.remove(object.metadata));
    this.#resourceVersion = object.metadata.resourceVersion ?? this.#resourceVersion;
  }

  #tell(changes: Iterable<Change<T>>): void {
    for (const change of changes) this.#notifyAll(change);
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const { reason, retryAfterMs = 0 } = error instanceof ApiError ? error : { reason: "Unexpected" };
    const waitMs = Math.max(delayMs(retry, this.#failures), Math.min(retryAfterMs, maxRetryAfterMs));
    this.#deps.metrics?.informerFailures.inc({ kind: this.#type.kind, reason });
    if (isGone(error) || isNotFound(error)) this.#resourceVersion = undefined;
    this.#explain(error, { kind: this.#type.kind, waitMs, failures: this.#failures });
    await sleep(this.#deps.clock, waitMs, signal);
  }

  #notifyAll(change: Change<T>): void {
    for (const listener of this.#listeners) this.#notify(listener, change);
  }

  #notify(listener: (change: Change<T>) => void, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#deps.metrics?.informerFailures.inc({ kind: this.#type.kind, reason: "ListenerThrew" });
      this.#deps.log.error({ error, kind: this.#type.kind }, "a listener threw");
    }
  }

  #explain(error: unknown, fields: object): void {
    const { log } = this.#deps;
    const { plural, group } = this.#type;
    if (isGone(error)) return log.info({ ...fields, error }, "the watch is too old, listing anew");
    if (isNotFound(error)) {
      return log.warn(
        { ...fields, crd: `${plural}.${group}` },
        "the API server does not serve this kind: is its CRD installed?",
      );
    }
    log.warn({ ...fields, error }, "list or watch failed, trying again");
  }

  #trim(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as T["metadata"] & { managedFields?: unknown };
    const trimmed = { ...object, metadata };
    return this.#options.transform?.(trimmed) ?? trimmed;
  }

  #selectors(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }
}

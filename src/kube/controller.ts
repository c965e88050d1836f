import { setImmediate } from "node:timers/promises";
import type { Backoff } from "../shared/backoff.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import { onWorker, type Worker } from "../shared/worker.ts";
import { ApiError, TerminalError, isConflict } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import { type Priority, type Queue, createQueue } from "./queue.ts";
import type { Change, Informer, KubeObject, Reconciler, Request, Result } from "./types.ts";
import { defined } from "../shared/defined.ts";

/** Options of a controller. */
export interface ControllerOptions {
  /** Name of the controller in logs and metrics. */
  name: string;
  reconciler: Reconciler;
  /**
   * Number of keys that are reconciled at the same time; default 1. A reconcile that only waits (`withoutWorker`) does not count. One namespace
   * never has all workers, so a namespace whose provider is slow does not hold up the others.
   */
  workers?: number;
  /** Names the group of a key inside its namespace; the groups take turns. */
  groupOf?: (request: Request) => string;
  /** Delay between retries of one key; default 5 ms to 5 min. */
  backoff?: Backoff;
  /** How long a reconcile may continue after stopping began, before its signal aborts; default 10 s. */
  graceMs?: number;
  log: Logger;
  metrics?: KubeMetrics;
  clock: Clock;
}

/** Maps a change to the objects that must be reconciled. */
export type MapChange<T extends KubeObject> = (change: Change<T>) => Iterable<Request>;

/** Workers on a queue of keys. Two reconciles of one key never run at the same time. */
export interface Controller {
  readonly name: string;
  /** Enqueues an object; with `afterMs` later, unless it is enqueued earlier anyway. */
  enqueue(request: Request, options?: { priority: Priority } | { afterMs: number }): void;
  /**
   * Enqueues the objects that `map` returns for each change that the informer reports. The initial list has low priority, and so has every
   * change of an informer that is watched with `low`.
   */
  watches<T extends KubeObject>(informer: Pick<Informer<T>, "onChange">, map: MapChange<T>, priority?: Priority): void;
  /** Starts the workers, until `signal` aborts. Changes of informers are enqueued from here on. */
  start(signal: AbortSignal): void;
  /** Resolves when the workers have ended, after `signal` aborted. */
  drain(): Promise<void>;
}

/** Creates a controller; it does nothing before `start`. */
export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

/** Maps a change to the changed object itself. */
export function itself<T extends KubeObject>(change: Change<T>): Request[] {
  const object = change.current ?? change.old;
  return object ? [requestOf(object)] : [];
}

/** The request to reconcile an object. */
export function requestOf(object: KubeObject): Request {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

/** Maps a change to the object's controlling owner of a kind. */
export function controllerOf(kind: string): <T extends KubeObject>(change: Change<T>) => Request[] {
  return ({ current, old }) =>
    [current ?? old].flatMap((object) =>
      (object?.metadata.ownerReferences ?? [])
        .filter((owner) => owner.kind === kind && owner.controller === true)
        .map((owner) => ({ namespace: object?.metadata.namespace ?? "", name: owner.name })),
    );
}

class QueueController implements Controller {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #queue: Queue;
  readonly #log: Logger;
  readonly #sources: (() => () => void)[] = [];
  readonly #workers: number;
  /** Reconciles that have a worker, and all that have begun and not ended. */
  #working = 0;
  readonly #begun = new Set<Promise<void>>();
  #onFreeWorker: (() => void) | undefined;
  #dispatching: Promise<void> = Promise.resolve();
  #started = false;

  constructor(options: ControllerOptions) {
    const { clock, name, backoff, metrics, groupOf, workers = 1 } = options;
    this.name = name;
    this.#options = options;
    this.#log = options.log.child({ controller: name });
    this.#workers = workers;
    const perNamespace = Math.max(1, workers - 1);
    this.#queue = createQueue({ clock, name, perNamespace, ...defined({ backoff, metrics, groupOf }) });
  }

  enqueue(request: Request, options: { priority: Priority } | { afterMs: number } = { priority: "normal" }): void {
    if ("afterMs" in options) this.#queue.addAfter(request, options.afterMs);
    else this.#queue.add(request, options.priority);
  }

  watches<T extends KubeObject>(
    informer: Pick<Informer<T>, "onChange">,
    map: MapChange<T>,
    priority: Priority = "normal",
  ): void {
    if (this.#started) throw new Error(`the controller ${this.name} has started; call watch before start`);
    this.#sources.push(() =>
      informer.onChange((change) => {
        for (const request of map(change)) this.#queue.add(request, change.initial ? "low" : priority);
      }),
    );
  }

  start(signal: AbortSignal): void {
    if (this.#started) throw new Error(`the controller ${this.name} was started twice`);
    this.#started = true;
    if (signal.aborted) {
      this.#queue.shutDown();
      return;
    }
    const grace = new AbortController();
    const stopListening = this.#sources.map((listen) => listen());
    const stop = (): void => {
      for (const remove of stopListening) remove();
      this.#queue.shutDown();
      const cancel = this.#options.clock.after(this.#options.graceMs ?? 10_000, () => grace.abort(signal.reason));
      void this.drain().then(cancel);
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#dispatching = this.#dispatch(grace.signal);
  }

  async drain(): Promise<void> {
    await this.#dispatching;
    await Promise.all(this.#begun);
  }

  /** Gives each free worker the next key, until the queue is shut down. */
  async #dispatch(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#freeWorker();
      const request = await this.#queue.next();
      if (!request) return;
      this.#working += 1;
      const work = this.#work(request, signal);
      this.#begun.add(work);
      void work.finally(() => this.#begun.delete(work));
    }
  }

  async #freeWorker(): Promise<void> {
    while (this.#working >= this.#workers) {
      await new Promise<void>((resolve) => {
        this.#onFreeWorker = resolve;
      });
    }
  }

  /**
   * Yields to the event loop after each key. A reconcile with nothing to do does not yield itself, and thousands of those in a row would
   * block everything else: the renewal of the Lease, the probes, the watches.
   */
  async #work(request: Request, signal: AbortSignal): Promise<void> {
    await onWorker(this.#workerFor(request), () => this.#reconcile(request, signal));
    this.#queue.done(request);
    await setImmediate();
    this.#release();
  }

  /** The worker of a reconcile: while the reconcile only waits, another key gets it. */
  #workerFor(request: Request): Worker {
    return {
      release: () => {
        this.#queue.paused(request);
        this.#release();
      },
      resume: () => {
        this.#queue.resumed(request);
        this.#working += 1;
      },
    };
  }

  #release(): void {
    this.#working -= 1;
    this.#onFreeWorker?.();
  }

  /** Never rejects: each of the four outcomes updates the queue, the log and the metrics. */
  async #reconcile(request: Request, signal: AbortSignal): Promise<void> {
    const { metrics, clock } = this.#options;
    const labels = { controller: this.name };
    const startedMs = clock.now().getTime();
    metrics?.activeWorkers.inc(labels);
    try {
      const result = await this.#options.reconciler(request, signal);
      const outcome = this.#succeeded(request, result); // not inside the call below, which is skipped without metrics
      metrics?.reconciles.inc({ ...labels, result: outcome });
    } catch (error) {
      if (!signal.aborted) this.#failed(request, error);
    } finally {
      metrics?.activeWorkers.dec(labels);
      metrics?.reconcileTime.observe(labels, (clock.now().getTime() - startedMs) / 1000);
    }
  }

  #succeeded(request: Request, result: Result): "success" | "requeue_after" {
    this.#queue.forget(request);
    this.#log.debug({ ...request, ...result }, "reconciled");
    if (result.requeueAfterMs === undefined) return "success";
    this.#queue.addAfter(request, result.requeueAfterMs);
    return "requeue_after";
  }

  #failed(request: Request, error: unknown): void {
    const labels = { controller: this.name };
    this.#options.metrics?.reconciles.inc({ ...labels, result: "error" });
    this.#options.metrics?.reconcileErrors.inc(labels);
    if (error instanceof TerminalError) {
      this.#options.metrics?.terminalErrors.inc(labels);
      this.#queue.forget(request);
      this.#log.error({ ...request, error }, "reconcile failed, will not retry until the object changes");
      return;
    }
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    const waitMs = this.#queue.retry(request, retryAfterMs);
    const fields = { ...request, error, waitMs };
    if (isConflict(error)) this.#log.debug(fields, "object changed during the reconcile, will retry");
    else this.#log.error(fields, "reconcile failed, will retry");
  }
}

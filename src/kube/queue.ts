import { type Backoff, delayMs } from "../shared/backoff.ts";
import type { Clock } from "../shared/clock.ts";
import { createFairLine, type FairLine, type Waiting } from "./fair-line.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { Request } from "./types.ts";

const defaultBackoff: Backoff = { baseMs: 5, maxMs: 300_000 };
/** After this many normal keys in a row, a low one is next, so that a steady stream of changes does not delay the initial list for ever. */
const normalBeforeLow = 7;

/** Options of a queue; `name` labels its metrics. */
export interface QueueOptions {
  clock: Clock;
  name?: string;
  /** Delay between retries of one key; default 5 ms, doubled up to 5 min. */
  backoff?: Backoff;
  /** Names the group of a key inside its namespace, for example its integration; by default all keys of a namespace are one group. */
  groupOf?: (request: Request) => string;
  /** How many keys of one namespace workers may have at a time; by default any number. */
  perNamespace?: number;
  metrics?: KubeMetrics;
}

/**
 * `normal` keys go before `low` ones, except that one key in eight is a low one. So the initial list neither delays current changes nor
 * waits for ever.
 */
export type Priority = "normal" | "low";

/**
 * A queue of keys to reconcile, never of objects. A key waits at most once, and only one worker has it at a time. If a key is added while a
 * worker has it, it is queued again when that worker is done. Among keys of one priority, namespaces and their groups take turns.
 */
export interface Queue {
  add(request: Request, priority?: Priority): void;
  /** Adds a key after a delay. Each key has one timer, and the earliest wins; `add` does not cancel it. */
  addAfter(request: Request, delayMs: number): void;
  /** Adds a key after its back-off, which grows with each call; returns the delay in milliseconds. */
  retry(request: Request, atLeastMs?: number): number;
  /** Resets the back-off of a key. */
  forget(request: Request): void;
  /** Waits for the next key; undefined when the queue is shut down. Call `done` with the key afterwards. */
  next(): Promise<Request | undefined>;
  done(request: Request): void;
  /** The worker that has the key only waits, until `resumed`: the key counts against no bound meanwhile, but nobody else gets it. */
  paused(request: Request): void;
  resumed(request: Request): void;
  /** Accepts and returns no more keys, and cancels timers. */
  shutDown(): void;
  /** Number of waiting keys. */
  readonly depth: number;
}

/** Creates an empty queue. */
export function createQueue(options: QueueOptions): Queue {
  return new KeyQueue(options);
}

interface Added extends Waiting {
  priority: Priority;
}

class KeyQueue implements Queue {
  readonly #options: QueueOptions;
  readonly #waiting: Record<Priority, FairLine>;
  /** Keys that workers have, with the start time. */
  readonly #processing = new Map<string, number>();
  /** Keys that were added while a worker had them. */
  readonly #dirty = new Map<string, Added>();
  /** How many keys of a namespace workers have, without those that only wait. */
  readonly #active = new Map<string, number>();
  readonly #timers = new Map<string, { dueMs: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((request: Request | undefined) => void)[] = [];
  #normalInARow = 0;
  #shutDown = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    const groupOf = options.groupOf ?? (() => "");
    this.#waiting = { normal: createFairLine(groupOf), low: createFairLine(groupOf) };
    options.metrics?.longestRunning.set(this.#name, () => this.#longestRunningSeconds());
  }

  get depth(): number {
    return this.#waiting.normal.size + this.#waiting.low.size;
  }

  add(request: Request, priority: Priority = "normal"): void {
    if (this.#shutDown) return;
    const id = idOf(request);
    const entry = { request, priority, sinceMs: this.#nowMs() };
    if (this.#processing.has(id)) {
      this.#addWhileInWork(id, entry);
      return;
    }
    const { normal, low } = this.#waiting;
    if (normal.has(id) || (low.has(id) && priority === "low")) return;
    const promoted = low.remove(id);
    if (!promoted) this.#options.metrics?.adds.inc({ name: this.#name });
    this.#waiting[priority].add(id, promoted ?? entry);
    this.#dispatch();
  }

  addAfter(request: Request, delayMs: number): void {
    if (this.#shutDown) return;
    if (delayMs <= 0) {
      this.add(request);
      return;
    }
    const id = idOf(request);
    const dueMs = this.#nowMs() + delayMs;
    const held = this.#timers.get(id);
    if (held && held.dueMs <= dueMs) return;
    held?.cancel();
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(id);
      this.add(request);
    });
    this.#timers.set(id, { dueMs, cancel });
  }

  retry(request: Request, atLeastMs = 0): number {
    const id = idOf(request);
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    this.#options.metrics?.retries.inc({ name: this.#name });
    const waitMs = Math.max(atLeastMs, delayMs(this.#options.backoff ?? defaultBackoff, failures));
    this.addAfter(request, waitMs);
    return waitMs;
  }

  forget(request: Request): void {
    this.#failures.delete(idOf(request));
  }

  next(): Promise<Request | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#dispatch();
    });
  }

  done(request: Request): void {
    const id = idOf(request);
    const startedMs = this.#processing.get(id);
    if (startedMs === undefined) throw new Error(`done was called for the key ${id}, which no worker has`);
    this.#processing.delete(id);
    this.#count(request, -1);
    this.#options.metrics?.workDuration.observe({ name: this.#name }, (this.#nowMs() - startedMs) / 1000);
    const again = this.#dirty.get(id);
    this.#dirty.delete(id);
    if (again && !this.#shutDown) this.#waiting[again.priority].add(id, again);
    this.#dispatch();
  }

  paused(request: Request): void {
    this.#count(request, -1);
    this.#dispatch();
  }

  resumed(request: Request): void {
    this.#count(request, 1);
  }

  shutDown(): void {
    this.#shutDown = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#waiting.normal.clear();
    this.#waiting.low.clear();
    this.#dirty.clear();
    this.#options.metrics?.depth.set({ name: this.#name }, 0);
    for (const take of this.#takers.splice(0)) take(undefined);
  }

  #addWhileInWork(id: string, entry: Added): void {
    const dirty = this.#dirty.get(id);
    if (!dirty) this.#options.metrics?.adds.inc({ name: this.#name });
    if (!dirty || (dirty.priority === "low" && entry.priority === "normal")) this.#dirty.set(id, entry);
  }

  #dispatch(): void {
    while (this.#takers.length > 0) {
      const next = this.#take();
      if (!next) break;
      const { id, request, priority, sinceMs } = next;
      this.#normalInARow = priority === "normal" ? this.#normalInARow + 1 : 0;
      this.#processing.set(id, this.#nowMs());
      this.#count(request, 1);
      this.#options.metrics?.queueDuration.observe({ name: this.#name }, (this.#nowMs() - sinceMs) / 1000);
      this.#takers.shift()?.(request);
    }
    this.#options.metrics?.depth.set({ name: this.#name }, this.depth);
  }

  #take(): (Added & { id: string }) | undefined {
    const most = this.#options.perNamespace ?? Number.POSITIVE_INFINITY;
    const allows = (namespace: string): boolean => (this.#active.get(namespace) ?? 0) < most;
    const order: Priority[] = this.#normalInARow >= normalBeforeLow ? ["low", "normal"] : ["normal", "low"];
    for (const priority of order) {
      const taken = this.#waiting[priority].take(allows);
      if (taken) return { ...taken[1], id: taken[0], priority };
    }
    return undefined;
  }

  #count({ namespace }: Request, by: 1 | -1): void {
    const count = (this.#active.get(namespace) ?? 0) + by;
    if (count > 0) this.#active.set(namespace, count);
    else this.#active.delete(namespace);
  }

  #longestRunningSeconds(): number {
    const oldestMs = Math.min(this.#nowMs(), ...this.#processing.values());
    return (this.#nowMs() - oldestMs) / 1000;
  }

  get #name(): string {
    return this.#options.name ?? "queue";
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }
}

function idOf(request: Request): string {
  return `${request.namespace}/${request.name}`;
}

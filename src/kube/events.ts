import { randomBytes } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";
import { cutBytes } from "../shared/utf8.ts";
import { isNotFound } from "./errors.ts";
import { toMicroTime } from "./micro-time.ts";
import { type Event, events } from "./resources.ts";
import type { Draft, KubeClient, KubeObject } from "./types.ts";
import { defined } from "../shared/defined.ts";

const maxNoteBytes = 1_024;
const maxSeries = 1_000;
const maxPending = 100;
/** Repetitions are counted; the count is written this long after the first repetition. */
const flushAfterMs = 10_000;
/** A series ends after this time without a repetition: the next one is a new Event. */
const seriesEndMs = 360_000;

/** Content of an Event. */
export interface EventContent {
  type: "Normal" | "Warning";
  /** CamelCase, for machines. */
  reason: string;
  /** A human-readable sentence; truncated to 1,024 bytes. */
  message: string;
  /** CamelCase: the action during which it happened. */
  action: string;
}

/** Records Kubernetes Events for objects. */
export interface EventRecorder {
  /** Never throws and never waits; failed writes are logged. Repetitions are counted in the series of one Event. */
  record(object: KubeObject, content: EventContent): void;
  /** Writes counts that are not written yet; for a clean stop. */
  flush(): Promise<void>;
}

/** Dependencies of a recorder; `component` is the reporting controller, such as `bellhop.dev/operator`. */
export interface EventRecorderDeps {
  client: Pick<KubeClient, "create" | "mergePatch">;
  component: string;
  /** The pod, if there are several; default: the component. */
  instance?: string;
  clock: Clock;
  log: Logger;
}

/** Creates a recorder. Events are written one after the other, in the order they were recorded. */
export function createEventRecorder(deps: EventRecorderDeps): EventRecorder {
  return new SeriesRecorder(deps);
}

interface Series {
  namespace: string;
  name: string;
  count: number;
  writtenCount: number;
  lastMs: number;
  cancelFlush?: () => void;
}

class SeriesRecorder implements EventRecorder {
  readonly #deps: EventRecorderDeps;
  readonly #series = new Map<string, Series>();
  #pending = 0;
  #chain: Promise<void> = Promise.resolve();

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps;
  }

  record(object: KubeObject, content: EventContent): void {
    try {
      this.#record(object, content);
    } catch (error) {
      this.#deps.log.warn({ error, reason: content.reason }, "could not record an Event");
    }
  }

  async flush(): Promise<void> {
    for (const series of this.#series.values()) this.#flushSeries(series);
    await this.#chain;
  }

  #record(object: KubeObject, content: EventContent): void {
    const id = [
      object.kind,
      object.metadata.uid,
      object.metadata.name,
      content.type,
      content.reason,
      content.action,
    ].join("/");
    const nowMs = this.#deps.clock.now().getTime();
    const series = this.#series.get(id);
    if (series && nowMs - series.lastMs < seriesEndMs) {
      series.count += 1;
      series.lastMs = nowMs;
      series.cancelFlush ??= this.#deps.clock.after(flushAfterMs, () => this.#flushSeries(series));
      return;
    }
    if (series) this.#flushSeries(series);
    this.#begin(id, object, content);
  }

  #begin(id: string, object: KubeObject, content: EventContent): void {
    const nowMs = this.#deps.clock.now().getTime();
    const event = this.#eventOf(object, content);
    this.#forgetOld(nowMs);
    this.#series.set(id, {
      namespace: event.metadata.namespace ?? "default",
      name: event.metadata.name,
      count: 1,
      writtenCount: 1,
      lastMs: nowMs,
    });
    this.#enqueue(() => this.#deps.client.create(events, event));
  }

  #flushSeries(series: Series): void {
    series.cancelFlush?.();
    delete series.cancelFlush;
    if (series.count === series.writtenCount) return;
    series.writtenCount = series.count;
    // The server allows changes only to the series of an Event: the first note stays.
    const patch = { series: { count: series.count, lastObservedTime: toMicroTime(new Date(series.lastMs)) } };
    this.#enqueue(async () => {
      try {
        await this.#deps.client.mergePatch(events, series, patch);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        series.lastMs = 0; // the Event has expired: the next one starts a new series
      }
    });
  }

  #eventOf(object: KubeObject, content: EventContent): Draft<Event> {
    const namespace = object.metadata.namespace ?? "default";
    const { uid, resourceVersion } = object.metadata;
    return {
      metadata: { namespace, name: `${object.metadata.name.slice(0, 230)}.${randomBytes(8).toString("hex")}` },
      eventTime: toMicroTime(this.#deps.clock.now()),
      reportingController: this.#deps.component,
      reportingInstance: this.#deps.instance ?? this.#deps.component,
      action: content.action,
      reason: content.reason,
      type: content.type,
      note: cutBytes(content.message, maxNoteBytes, "…"),
      regarding: {
        ...defined({ apiVersion: object.apiVersion, kind: object.kind }),
        namespace,
        name: object.metadata.name,
        ...defined({ uid, resourceVersion }),
      },
    };
  }

  /** Queues a write. The queue is bounded: if the API server is slow, further Events are dropped and logged. */
  #enqueue(write: () => Promise<unknown>): void {
    if (this.#pending >= maxPending) {
      this.#deps.log.warn({ pending: this.#pending }, "dropped an Event, too many are waiting to be written");
      return;
    }
    this.#pending += 1;
    this.#chain = this.#chain.then(write).then(
      () => void (this.#pending -= 1),
      (error: unknown) => {
        this.#pending -= 1;
        this.#deps.log.warn({ error }, "could not write an Event");
      },
    );
  }

  #forgetOld(nowMs: number): void {
    for (const [id, series] of this.#series) {
      const over = nowMs - series.lastMs >= seriesEndMs;
      if (!over && this.#series.size < maxSeries) continue;
      this.#flushSeries(series);
      this.#series.delete(id);
    }
  }
}

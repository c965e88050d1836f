import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** From 10 µs to 1,000 s in powers of ten, as in client-go. */
const queueBuckets = [0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000];
const reconcileBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Metrics of the operator runtime, with the names of client-go and controller-runtime. */
export interface KubeMetrics {
  requests: Counter<"code" | "method">;
  depth: Gauge<"name">;
  adds: Counter<"name">;
  queueDuration: Histogram<"name">;
  workDuration: Histogram<"name">;
  retries: Counter<"name">;
  /** Called at each scrape: the seconds since a worker took the oldest key that is still in progress, in the queue `name`. */
  longestRunning: Map<string, () => number>;
  reconciles: Counter<"controller" | "result">;
  reconcileErrors: Counter<"controller">;
  terminalErrors: Counter<"controller">;
  reconcileTime: Histogram<"controller">;
  activeWorkers: Gauge<"controller">;
  leader: Gauge<"name">;
  /** Relists, broken watches and throwing listeners of informers. */
  informerFailures: Counter<"kind" | "reason">;
}

/** Registers all metrics; call it once for each registry. */
export function createKubeMetrics(registry: Registry): KubeMetrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: L[]
  ): Histogram<L> => new Histogram({ name, help, buckets, labelNames, registers });

  return {
    requests: counter("rest_client_requests_total", "Requests to the API server.", "code", "method"),
    depth: gauge("workqueue_depth", "Keys waiting in the queue.", "name"),
    adds: counter("workqueue_adds_total", "Keys added to the queue.", "name"),
    queueDuration: histogram(
      "workqueue_queue_duration_seconds",
      "Time that keys waited in the queue.",
      queueBuckets,
      "name",
    ),
    workDuration: histogram(
      "workqueue_work_duration_seconds",
      "Time that workers needed for a key.",
      queueBuckets,
      "name",
    ),
    retries: counter("workqueue_retries_total", "Keys added again after a failure.", "name"),
    longestRunning: longestRunningGauge(registry),
    reconciles: counter("controller_runtime_reconcile_total", "Reconciles by result.", "controller", "result"),
    reconcileErrors: counter("controller_runtime_reconcile_errors_total", "Reconciles that failed.", "controller"),
    terminalErrors: counter(
      "controller_runtime_terminal_reconcile_errors_total",
      "Reconciles that failed and are not retried before the object changes.",
      "controller",
    ),
    reconcileTime: histogram(
      "controller_runtime_reconcile_time_seconds",
      "Duration of reconciles.",
      reconcileBuckets,
      "controller",
    ),
    activeWorkers: gauge(
      "controller_runtime_active_workers",
      "Workers that reconcile a key at the moment.",
      "controller",
    ),
    leader: gauge("leader_election_master_status", "1 if this process is the leader, 0 otherwise.", "name"),
    informerFailures: counter(
      "bellhop_informer_failures_total",
      "Failures of informers, by reason; informers recover from them.",
      "kind",
      "reason",
    ),
  };
}

function longestRunningGauge(registry: Registry): Map<string, () => number> {
  const ages = new Map<string, () => number>();
  const gauge = new Gauge({
    name: "workqueue_longest_running_processor_seconds",
    help: "Time since the start of the longest reconcile that still runs.",
    labelNames: ["name"],
    registers: [registry],
    collect: () => {
      for (const [name, age] of ages) gauge.set({ name }, age());
    },
  });
  return ages;
}

import { Counter, Histogram, type Registry } from "prom-client";

/** The metrics of the broker. */
export interface Metrics {
  request(labels: { route: string; code: string }, seconds: number): void;
}

/** Creates and registers the metrics of the broker. */
export function createMetrics(registry: Registry): Metrics {
  const total = new Counter({
    name: "bellhop_broker_requests_total",
    help: "Requests of couriers and agents, by route and status code.",
    labelNames: ["route", "code"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "bellhop_broker_request_duration_seconds",
    help: "Duration of requests, by route.",
    labelNames: ["route"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  });
  return {
    request(labels, seconds) {
      total.inc(labels);
      duration.observe({ route: labels.route }, seconds);
    },
  };
}

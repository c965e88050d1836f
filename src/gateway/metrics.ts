import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** The gateway's own metrics. */
export interface GatewayMetrics {
  deliveries: Counter<"provider" | "result" | "reason">;
  duration: Histogram<"provider" | "result">;
  requestsInFlight: Gauge;
  bytesInFlight: Gauge;
  keysGeneration: Gauge;
  connections: Gauge<"provider">;
  connectionsLost: Counter<"provider" | "reason">;
}

/** Creates and registers the metrics; call it once for each registry. The reasons are a fixed set, so the number of series is bounded. */
export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  return {
    deliveries: new Counter({
      name: "bellhop_gateway_deliveries_total",
      help: "Deliveries by result and reason.",
      labelNames: ["provider", "result", "reason"],
      registers,
    }),
    duration: new Histogram({
      name: "bellhop_gateway_request_duration_seconds",
      help: "Time from the first byte of a delivery to its answer.",
      labelNames: ["provider", "result"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    requestsInFlight: new Gauge({
      name: "bellhop_gateway_requests_in_flight",
      help: "Deliveries that the gateway handles at the moment.",
      registers,
    }),
    bytesInFlight: new Gauge({
      name: "bellhop_gateway_body_bytes_in_flight",
      help: "Bytes of bodies that are held in memory or announced by Content-Length.",
      registers,
    }),
    keysGeneration: new Gauge({
      name: "bellhop_gateway_keys_generation",
      help: "Generation of the loaded keys.",
      registers,
    }),
    connections: new Gauge({
      name: "bellhop_gateway_connections",
      help: "Open connections over which providers send deliveries. One gateway has all of them.",
      labelNames: ["provider"],
      registers,
    }),
    connectionsLost: new Counter({
      name: "bellhop_gateway_connections_ended_total",
      help: "Connections to providers that ended or were not made, by reason.",
      labelNames: ["provider", "reason"],
      registers,
    }),
  };
}

import { type Server, type ServerResponse, createServer } from "node:http";
import type { Registry } from "prom-client";
import { listen } from "../shared/http-server.ts";

/** Result of a probe: 200 if `ok`, else 503. The JSON body contains all fields, for administrators and for the operator. */
export interface ProbeAnswer {
  ok: boolean;
  reasons: string[];
  /** Additional facts, such as the generation of the loaded keys. Nothing secret, because the probes are not protected. */
  facts?: Record<string, unknown>;
}

/** Options of a probe server. */
export interface ProbeOptions {
  /** 0 selects a free port. */
  port: number;
  /** Address to listen on; default: all addresses. */
  host?: string;
  registry: Registry;
  ready: () => ProbeAnswer;
  /** Liveness, for `/healthz`. Default: always ok, because a process that answers is alive. */
  healthy?: () => ProbeAnswer;
}

/** `/healthz`, `/readyz` and `/metrics` of one process. */
export interface ProbeServer {
  /** Resolves when the server listens; rejects if it cannot (`EADDRINUSE`). */
  listen(): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** Creates the server; it listens after `listen`. */
export function createProbeServer(options: ProbeOptions): ProbeServer {
  const server = createServer((request, response) => {
    void answer(options, request.url ?? "/", response);
  });
  return {
    listen: () => listen(server, options),
    close: () => close(server),
  };
}

async function answer(options: ProbeOptions, url: string, response: ServerResponse): Promise<void> {
  const [path = ""] = url.split("?");
  switch (path) {
    case "/healthz":
      return probe(response, options.healthy?.() ?? { ok: true, reasons: [] });
    case "/readyz":
      return probe(response, options.ready());
    case "/metrics":
      return metrics(response, options.registry);
    default:
      send(response, { status: 404, type: "text/plain", body: "not found\n" });
  }
}

function probe(response: ServerResponse, { ok, reasons, facts }: ProbeAnswer): void {
  const body = JSON.stringify({ ok, reasons, ...facts });
  send(response, { status: ok ? 200 : 503, type: "application/json", body: `${body}\n` });
}

async function metrics(response: ServerResponse, registry: Registry): Promise<void> {
  try {
    send(response, { status: 200, type: registry.contentType, body: await registry.metrics() });
  } catch (error) {
    const message = error instanceof Error ? error.message : "unknown";
    send(response, { status: 500, type: "text/plain", body: `could not collect the metrics: ${message}\n` });
  }
}

function send(response: ServerResponse, answer: { status: number; type: string; body: string }): void {
  response.writeHead(answer.status, { "content-type": answer.type, "cache-control": "no-store" });
  response.end(answer.body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

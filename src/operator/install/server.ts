import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { ManagedServer } from "../../kube/manager.ts";
import type { Clock } from "../../shared/clock.ts";
import { closeGracefully, listen, type ListenOptions } from "../../shared/http-server.ts";
import type { InstallApp } from "./app.ts";

/** Longer than the idle time-out of load balancers, so that they close idle connections and not the operator. */
const keepAliveMs = 75_000;
const headersMs = 5_000;
const requestMs = 10_000;
const maxHeaderBytes = 16 * 1024;
const maxConnections = 256;
const maxFinishMs = 5_000;

/** Where the server listens, and its clock. */
export interface InstallServerOptions extends ListenOptions {
  clock: Clock;
}

/** Creates the HTTP server of the install pages: plain HTTP behind the ingress, with limits for slow and large requests. */
export function createInstallServer(
  options: InstallServerOptions,
  app: InstallApp,
): ManagedServer & { listen(): Promise<{ port: number }> } {
  const limits = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
  };
  const server = createServer(limits, (request, response) => {
    void answer(app, request, response);
  });
  server.maxConnections = maxConnections;
  return {
    name: "install pages",
    get listening() {
      return server.listening;
    },
    listen: () => listen(server, options),
    close: () => closeGracefully(server, options.clock, maxFinishMs),
  };
}

async function answer(app: InstallApp, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body } = await app(request);
  // A body is not read, so the connection cannot be used again.
  const connection = request.complete ? {} : { connection: "close" };
  response.writeHead(status, { ...headers, ...connection, "content-length": Buffer.byteLength(body) }).end(body);
}

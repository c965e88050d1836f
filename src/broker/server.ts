import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Express } from "express";
import type { BrokerKeys } from "./keys.ts";
import { defined } from "../shared/defined.ts";

/** The TLS server of the broker. Its certificate can be replaced without a restart. */
export interface BrokerServer {
  /** Starts to listen with the first keys; later calls replace the certificate. */
  use(keys: BrokerKeys): void;
  /** The port on which it listens; undefined before the first keys. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** Idle time-out of a connection. Pushes and fetches may take longer, if data flows. */
const idleMs = 120_000;
/** Time-out for open requests at the shutdown. Kubernetes gives a pod 30 s. */
const drainMs = 20_000;
const minVersion = "TLSv1.2";

/** Creates the server. */
export function createBrokerServer(app: Express, listen: { port: number; host?: string | undefined }): BrokerServer {
  let server: Server | undefined;
  return {
    use({ tls }) {
      if (server) server.setSecureContext({ ...tls, minVersion });
      else server = start(app, tls, listen);
    },
    get port() {
      const address = server?.address() as AddressInfo | null | undefined;
      return address?.port;
    },
    close: () => stop(server),
  };
}

function start(app: Express, tls: BrokerKeys["tls"], listen: { port: number; host?: string | undefined }): Server {
  const server = createServer({ ...tls, minVersion }, app);
  server.requestTimeout = 0;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 65_000;
  server.setTimeout(idleMs);
  server.listen({ port: listen.port, ...defined({ host: listen.host }) });
  return server;
}

function stop(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!server) return resolve();
    const forceClose = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(forceClose);
      resolve();
    });
    server.closeIdleConnections();
  });
}

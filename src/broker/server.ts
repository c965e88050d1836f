import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Express } from "express";
import type { BrokerKeys } from "./keys.ts";

/** The TLS listener; certificates are exchanged without a restart. */
export interface BrokerServer {
  /** Begins to listen with the first keys; later calls exchange the certificate. */
  use(keys: BrokerKeys): void;
  /** Where it listens; undefined before the first keys. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** Pushes and fetches may take long; a silent connection may not. */
const idleMs = 120_000;
/** How long what is under way may take when we are to end; pods have 30 s. */
const drainMs = 20_000;
const minVersion = "TLSv1.2";

/** Creates the listener. */
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
  server.listen({ port: listen.port, ...(listen.host === undefined ? {} : { host: listen.host }) });
  return server;
}

function stop(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!server) return resolve();
    const patience = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
    server.closeIdleConnections();
  });
}

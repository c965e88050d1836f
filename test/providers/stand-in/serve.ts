import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { StandInOptions } from "./options.ts";
import { makeTls } from "./tls.ts";

/** The server of a stand-in, on a real port. */
export interface StandInServer {
  /** Web address, without trailing slash. */
  url: string;
  /** The certificate authority to trust, PEM; undefined over plain HTTP. */
  ca: string | undefined;
  /** Closes the server and its connections. */
  close(): Promise<void>;
}

/** Answers connections that ask for another protocol, such as WebSocket. */
type OnUpgrade = (request: IncomingMessage, socket: Duplex) => void;

/** Starts the server of a stand-in; over HTTPS with a certificate of its own unless the options say otherwise. */
export async function serveStandIn(
  options: StandInOptions,
  handler: RequestListener,
  onUpgrade?: OnUpgrade,
): Promise<StandInServer> {
  const tls = options.plainHttp === true ? undefined : (options.tls ?? (await makeTls(namesOf(options))));
  const server = tls ? createHttpsServer({ key: tls.key, cert: tls.cert }, handler) : createHttpServer(handler);
  if (onUpgrade) server.on("upgrade", onUpgrade);
  const url = await listen(server, options, tls !== undefined);
  return { url, ca: tls?.ca, close: () => close(server) };
}

/** A listener that calls `serve`. An error of the stand-in itself becomes an answer 500 with its stack. */
export function listenerOf(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): RequestListener {
  return (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
      response.end(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  };
}

/** Reads the whole body of a request. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function namesOf(options: StandInOptions): string[] {
  const publicHost = options.publicUrl === undefined ? [] : [new URL(options.publicUrl).hostname];
  const host = options.host === undefined || options.host === "0.0.0.0" ? [] : [options.host];
  return [...new Set(["localhost", "127.0.0.1", ...host, ...publicHost, ...(options.names ?? [])])];
}

async function listen(server: Server, options: StandInOptions, tls: boolean): Promise<string> {
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  // The address of a TCP server is always an object.
  const { port } = server.address() as AddressInfo;
  const name = host === "0.0.0.0" ? "127.0.0.1" : host;
  return options.publicUrl ?? `${tls ? "https" : "http"}://${name}:${port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

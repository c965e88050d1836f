import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  createSecureServer,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { generateKeyPairSync, sign } from "node:crypto";
import type { KubeConfig } from "../types.ts";

/** A request as the server received it. */
export interface WireRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string | undefined>;
  body: unknown;
}

/** How a test answers one request. */
export interface WireResponse {
  json(status: number, body: unknown, headers?: Record<string, string>): void;
  text(status: number, body: string): void;
  /** Starts or continues a streamed answer: each value is a line of JSON; strings are sent unchanged. */
  stream(...lines: unknown[]): void;
  end(): void;
  /** Resets the connection. */
  reset(): void;
  /** Whether the client has closed the connection. */
  readonly closed: boolean;
}

/** A TLS server on loopback that speaks HTTP/2 and 1.1, as the API server does; the test writes its answers. */
export interface WireServer {
  readonly config: KubeConfig;
  readonly requests: WireRequest[];
  /** Number of TLS connections so far, and of open ones. */
  readonly connections: { total: number; open: number };
  /** Replace it at any time. */
  answer: (request: WireRequest, response: WireResponse) => void;
  resetAll(): void;
  close(): Promise<void>;
}

/** Starts the server on a free port. */
export async function startWireServer(answer: WireServer["answer"]): Promise<WireServer> {
  const tls = selfSigned();
  const sockets = new Set<Socket>();
  const server = createSecureServer({ ...tls, allowHTTP1: true });
  const connections = { total: 0, open: 0 };
  server.on("secureConnection", (socket: Socket) => {
    connections.total += 1;
    connections.open += 1;
    sockets.add(socket);
    socket.on("error", () => undefined); // these tests cause resets on purpose
    socket.on("close", () => {
      connections.open -= 1;
      sockets.delete(socket);
    });
  });
  server.on("request", (request, response) => void handle(wire, request, response));
  const port = await listen(server);
  const wire: WireServer = {
    config: { server: `https://127.0.0.1:${port}`, tls: { ca: tls.cert }, namespace: "default" },
    requests: [],
    connections,
    answer,
    resetAll: () => sockets.forEach((socket) => socket.destroy()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return wire;
}

async function handle(wire: WireServer, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  request.on("error", () => undefined);
  response.on("error", () => undefined);
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(request.url, "https://localhost");
  const read: WireRequest = {
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    body: text === "" ? undefined : JSON.parse(text),
  };
  wire.requests.push(read);
  wire.answer(read, writer(response));
}

function writer(response: Http2ServerResponse): WireResponse {
  const socket = response.stream?.session?.socket ?? response.socket;
  const line = (value: unknown): string => (typeof value === "string" ? value : `${JSON.stringify(value)}\n`);
  return {
    json(status, body, headers = {}) {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    },
    text(status, body) {
      response.writeHead(status, { "content-type": "text/plain" });
      response.end(body);
    },
    stream(...lines) {
      if (!response.headersSent) response.writeHead(200, { "content-type": "application/json" });
      response.write(lines.map(line).join(""));
    },
    end: () => void response.end(),
    reset: () => void socket?.destroy(),
    get closed() {
      return response.writableEnded || (socket?.destroyed ?? true);
    },
  };
}

function listen(server: Http2SecureServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** A self-signed certificate for 127.0.0.1; encoded here (RFC 5280), because Node cannot create certificates. */
function selfSigned(): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(0x30, oid("2a8648ce3d040302"));
  const name = der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from("test")))));
  const validity = der(0x30, ...["200101000000Z", "491231235959Z"].map((time) => der(0x17, Buffer.from(time))));
  const address = der(0x30, der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = der(0xa3, der(0x30, der(0x30, oid("551d11"), der(0x04, address))));
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const body = der(0x30, version, serial, algorithm, name, validity, name, spki, extensions);
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  // No line break at the end: after a full last line it would make an empty line, which OpenSSL rejects.
  const base64 = der(0x30, body, algorithm, signature)
    .toString("base64")
    .replace(/(.{64})(?=.)/g, "$1\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** The `Status` object with which the API server answers failures. */
export function aStatus(code: number, reason: string, message: string, details: object = {}): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
}

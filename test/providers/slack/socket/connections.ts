import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../../../../src/shared/clock.ts";
import type { App } from "../state/apps.ts";
import { createDecoder, encodeFrame, opcodes } from "./frames.ts";
import type { Frame } from "./frames.ts";

/** The WebSocket connections of apps in Socket Mode. */
export interface Sockets {
  /** The address of a new connection; it works once. */
  ticket(app: App, baseUrl: string): string;
  /** Answers a request to upgrade to WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex): void;
  /** Sends an envelope to one connection of the app; undefined if there is none, or no acknowledgement in time. */
  send(app: App, envelope: Envelope, timeoutMs: number): Promise<Outcome>;
  /** Number of open connections. */
  count(app: App): number;
  /** Asks all connections of the app to reconnect, and closes them; after a `warning` 10 s later. Without a reason it only resets them. */
  disconnect(app: App, reason?: string): void;
  /** Makes the open connections of the app dead: nothing is read or sent any more, as if the network dropped every packet. */
  freeze(app: App): void;
  close(): void;
}

/** A message to an app. */
export interface Envelope {
  type: "events_api" | "interactive" | "slash_commands";
  payload: Record<string, unknown>;
  accepts_response_payload: boolean;
  retry_attempt?: number;
  retry_reason?: string;
}

/** The acknowledgement of an envelope. */
export type Outcome = { ok: true; payload: unknown } | { ok: false; reason: "timeout" | "connection_failed" };

/** Source: Slack, "Using Socket Mode". */
const maxConnections = 10;
const closesAfterWarningMs = 10_000;

interface Connection {
  app: App;
  socket: Duplex;
  frozen: boolean;
  /** Envelopes that wait for their acknowledgement. */
  waiting: Map<string, (payload: unknown) => void>;
}

/** Creates the list of connections. */
export function createSockets(clock: Clock): Sockets {
  const tickets = new Map<string, App>();
  const open = new Set<Connection>();
  let sent = 0;
  const of = (app: App): Connection[] =>
    [...open].filter((connection) => connection.app === app && !connection.socket.writableEnded);
  return {
    ticket(app, baseUrl) {
      const ticket = randomUUID();
      tickets.set(ticket, app);
      return `${baseUrl.replace(/^http/, "ws")}/link/?ticket=${ticket}&app_id=${app.id}`;
    },
    upgrade(request, socket) {
      const ticket = new URL(request.url ?? "/", "http://stand-in").searchParams.get("ticket") ?? "";
      const app = tickets.get(ticket);
      tickets.delete(ticket);
      const key = request.headers["sec-websocket-key"];
      if (!app || key === undefined) {
        socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
        return;
      }
      const refusal = app.socketMode
        ? of(app).length < maxConnections
          ? undefined
          : "too_many_websockets"
        : "link_disabled";
      const connection: Connection = { app, socket, frozen: false, waiting: new Map() };
      if (refusal === undefined) open.add(connection);
      socket.on("close", () => open.delete(connection));
      accept(connection, key);
      if (refusal === undefined) write(socket, hello(app, of(app).length));
      else goodbye(socket, refusal);
    },
    send(app, envelope, timeoutMs) {
      const connections = of(app);
      const connection = connections[sent++ % connections.length];
      if (!connection) return Promise.resolve({ ok: false, reason: "connection_failed" });
      return sendEnvelope(clock, connection, envelope, timeoutMs);
    },
    count: (app) => of(app).length,
    disconnect(app, reason) {
      for (const { socket } of of(app)) {
        if (reason === undefined) socket.destroy();
        else if (reason === "warning") {
          write(socket, disconnectMessage(reason));
          clock.after(closesAfterWarningMs, () => goodbye(socket, "refresh_requested"));
        } else goodbye(socket, reason);
      }
    },
    freeze(app) {
      for (const connection of of(app)) connection.frozen = true;
    },
    close() {
      for (const { socket } of open) socket.destroy();
    },
  };
}

function accept(connection: Connection, key: string): void {
  const { socket, waiting } = connection;
  const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const head = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: Upgrade"];
  socket.write(`${[...head, `sec-websocket-accept: ${proof}`].join("\r\n")}\r\n\r\n`);
  const receive = ({ opcode, payload }: Frame): void => {
    if (connection.frozen) return;
    if (opcode === opcodes.ping) socket.write(encodeFrame(opcodes.pong, payload));
    if (opcode === opcodes.close) socket.end(encodeFrame(opcodes.close, payload));
    if (opcode !== opcodes.text) return;
    const answer = JSON.parse(payload.toString()) as { envelope_id?: string; payload?: unknown };
    waiting.get(answer.envelope_id ?? "")?.(answer.payload);
  };
  socket.on("data", createDecoder(receive));
  socket.on("error", () => socket.destroy());
}

function hello(app: App, connections: number): object {
  return {
    type: "hello",
    num_connections: connections,
    connection_info: { app_id: app.id },
    debug_info: { host: "stand-in", build_number: 1, approximate_connection_time: 18_060 },
  };
}

function disconnectMessage(reason: string): object {
  return { type: "disconnect", reason, debug_info: { host: "stand-in" } };
}

function goodbye(socket: Duplex, reason: string): void {
  if (socket.writableEnded) return;
  write(socket, disconnectMessage(reason));
  socket.end(encodeFrame(opcodes.close, Buffer.from([0x03, 0xe8])));
}

function sendEnvelope(clock: Clock, connection: Connection, envelope: Envelope, timeoutMs: number): Promise<Outcome> {
  const id = randomBytes(16).toString("hex");
  return new Promise((resolve) => {
    const done = (outcome: Outcome): void => {
      cancel();
      connection.waiting.delete(id);
      connection.socket.off("close", lost);
      resolve(outcome);
    };
    const lost = (): void => done({ ok: false, reason: "connection_failed" });
    const cancel = clock.after(timeoutMs, () => done({ ok: false, reason: "timeout" }));
    connection.waiting.set(id, (payload) => done({ ok: true, payload }));
    connection.socket.on("close", lost);
    if (!connection.frozen) write(connection.socket, { envelope_id: id, ...envelope });
  });
}

function write(socket: Duplex, message: object): void {
  socket.write(encodeFrame(opcodes.text, Buffer.from(JSON.stringify(message))));
}

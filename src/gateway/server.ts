import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { refused } from "../intake/answer.ts";
import { type Clock, sleep } from "../shared/clock.ts";
import { errorCode } from "../shared/errors.ts";
import type { GatewayConfig } from "./config.ts";

/** Longer than load balancers keep idle connections, so that they and not we close them. */
const keepAliveMs = 75_000;
const checkEveryMs = 1_000;
const maxFinishMs = 15_000;

/** Where the gateway listens. */
export interface HookServer {
  listen(): Promise<{ port: number }>;
  /** Goes on taking deliveries for `drainMs`, then lets those under way finish. */
  drain(): Promise<void>;
  readonly draining: boolean;
  readonly listening: boolean;
}

/** The HTTP server, with bounds on how long a sender may take. */
export function createHookServer(
  config: GatewayConfig,
  handler: (state: { draining: () => boolean }) => RequestListener,
  clock: Clock,
): HookServer {
  let draining = false;
  const options = {
    headersTimeout: config.BELLHOP_HEADERS_TIMEOUT_MS,
    requestTimeout: config.BELLHOP_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(checkEveryMs, config.BELLHOP_REQUEST_TIMEOUT_MS),
  };
  const server = createServer(options, handler({ draining: () => draining }));
  server.on("clientError", answerClientError);
  return {
    listen: () => listen(server, config),
    get listening() {
      return server.listening;
    },
    get draining() {
      return draining;
    },
    async drain() {
      draining = true;
      await sleep(clock, config.BELLHOP_DRAIN_MS);
      await close(server, clock);
    },
  };
}

/** What the HTTP parser refuses: half a request, or one that takes for ever. */
function answerClientError(error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const slow = errorCode(error) === "ERR_HTTP_REQUEST_TIMEOUT";
  const { status, body } = slow
    ? refused(408, "TooSlow", "The request took too long.")
    : refused(400, "BadRequest", "The request ended early or cannot be read.");
  const text = `${JSON.stringify(body)}\n`;
  const head = `HTTP/1.1 ${status} ${slow ? "Request Timeout" : "Bad Request"}`;
  socket.end(
    `${head}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

function listen(server: Server, config: GatewayConfig): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const host = config.BELLHOP_HOST === undefined ? {} : { host: config.BELLHOP_HOST };
    server.listen({ port: config.BELLHOP_PORT, ...host }, () => {
      server.off("error", reject);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}

function close(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(maxFinishMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

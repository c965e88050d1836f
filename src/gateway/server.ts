import { createServer, type RequestListener } from "node:http";
import type { Socket } from "node:net";
import { refused } from "../intake/answer.ts";
import { type Clock, sleep } from "../shared/clock.ts";
import { errorCode } from "../shared/errors.ts";
import { closeGracefully, listen } from "../shared/http-server.ts";
import type { GatewayConfig } from "./config.ts";

/** Longer than the idle time-out of load balancers, so that they close idle connections and not the gateway. */
const keepAliveMs = 75_000;
const checkEveryMs = 1_000;
const maxFinishMs = 15_000;

/** The HTTP server that receives deliveries. */
export interface HookServer {
  listen(): Promise<{ port: number }>;
  /** Shuts down: accepts deliveries for another `drainMs`, then waits until the open ones are answered. */
  drain(): Promise<void>;
  readonly draining: boolean;
  readonly listening: boolean;
}

/** Creates the HTTP server, with time-outs for slow senders. */
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
    listen: () => listen(server, { port: config.BELLHOP_PORT, host: config.BELLHOP_HOST }),
    get listening() {
      return server.listening;
    },
    get draining() {
      return draining;
    },
    async drain() {
      draining = true;
      await sleep(clock, config.BELLHOP_DRAIN_MS);
      await closeGracefully(server, clock, maxFinishMs);
    },
  };
}

/** Answers requests that the HTTP parser rejects: an incomplete request, or one that is too slow. */
function answerClientError(error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const slow = errorCode(error) === "ERR_HTTP_REQUEST_TIMEOUT";
  const { status, body } = slow
    ? refused(408, "TooSlow", "The request took too long. Send it again.")
    : refused(400, "BadRequest", "The request is incomplete or not valid HTTP.");
  const text = `${JSON.stringify(body)}\n`;
  const head = `HTTP/1.1 ${status} ${slow ? "Request Timeout" : "Bad Request"}`;
  socket.end(
    `${head}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

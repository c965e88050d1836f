import { subscribe } from "node:diagnostics_channel";
import type { Duplex } from "node:stream";
import { DecoratorHandler, ping, WebSocket, type Dispatcher } from "undici";
import { describeError } from "../../shared/errors.ts";
import { firstBellhopError } from "../errors.ts";

/** The largest message that is accepted; a connection that gets a larger one is closed. Providers send far smaller ones. */
export const maxMessageBytes = 2 * 1024 * 1024;

/** Code of a WebSocket that is closed on purpose (RFC 6455). */
const normalClosure = 1_000;

/** One open WebSocket to a provider. */
export interface ProviderSocket {
  /** Sends a message; does nothing if the connection is closed. */
  send(text: string): void;
  /** Asks the other side for a sign of life. */
  ping(): void;
  /** Closes the WebSocket. The other side then closes the connection; `destroy` has to follow if it does not. */
  close(): void;
  /** Ends the connection at once. */
  destroy(): void;
}

/** Callbacks of a socket. */
export interface SocketEvents {
  message(text: string): void;
  /** The other side answered a ping. */
  alive(): void;
  /** Called once, at the end, also if the connection was never made. The error has no address, because the address is a secret. */
  closed(error: Error): void;
}

/** Connects to a `wss://` address through the dispatcher, which checks the address as for any other call. */
export function openSocket(dispatcher: Dispatcher, address: string, events: SocketEvents): ProviderSocket {
  followPongs();
  const seen: Seen = {};
  const webSocket = new WebSocket(address, { dispatcher: dispatcher.compose(observe(seen)) });
  webSocket.binaryType = "arraybuffer";
  pongs.set(webSocket, () => events.alive());
  webSocket.addEventListener("error", ({ error }) => (seen.failure ??= error));
  webSocket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") events.message(data);
  });
  webSocket.addEventListener("close", ({ code }) => events.closed(whyClosed(seen.failure, code)));
  return {
    send(text) {
      if (webSocket.readyState === webSocket.OPEN) webSocket.send(text);
    },
    ping: () => ping(webSocket),
    close: () => webSocket.close(normalClosure),
    destroy() {
      webSocket.close(normalClosure);
      seen.stream?.destroy();
    },
  };
}

/** Parts of a connection that a WebSocket itself does not show: it can only ask the other side to close, and hides why it was not made. */
interface Seen {
  stream?: Duplex;
  failure?: unknown;
}

function observe(seen: Seen): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const watched: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
    watched.onRequestUpgrade = (controller, status, headers, stream) => {
      seen.stream = stream;
      handler.onRequestUpgrade?.(controller, status, headers, stream);
    };
    watched.onResponseError = (controller, error) => {
      seen.failure = error;
      handler.onResponseError?.(controller, error);
    };
    try {
      return dispatch(options, watched);
    } catch (error) {
      seen.failure = error;
      throw error;
    }
  };
}

/** A refused address keeps its error, which says what to do. */
function whyClosed(failure: unknown, code: number): Error {
  if (failure === undefined || failure === null) return new Error(`the connection was closed (code ${code})`);
  return firstBellhopError(failure) ?? new Error(`the connection failed: ${describeError(failure)}`);
}

/** undici reports pongs for the whole process. */
const pongs = new WeakMap<object, () => void>();
let following = false;

function followPongs(): void {
  if (following) return;
  following = true;
  subscribe("undici:websocket:pong", (message) => {
    const { websocket } = message as { websocket?: object };
    if (websocket) pongs.get(websocket)?.();
  });
}

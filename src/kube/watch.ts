import { errorFromAnswer, unreachable } from "./errors.ts";
import { collectionPath, describeTarget, selectorQuery } from "./paths.ts";
import type { Transport } from "./transport.ts";
import type { KubeObject, ResourceType, WatchEvent, WatchOptions } from "./types.ts";
import { defined } from "../shared/defined.ts";

/**
 * Runs one watch: each line of JSON is an event. Ends when the server ends it.
 * Throws `ApiError`: 410 if the version is too old, 0 if the connection broke or a line is not an event.
 */
export async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const what = `watch ${describeTarget(type, options)}`;
  const body = await transport.stream({
    method: "GET",
    path: collectionPath(type, options.namespace),
    query: {
      ...selectorQuery(options),
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.timeoutSeconds),
    },
    what,
    ...defined({ signal: options.signal }),
  });
  try {
    for await (const line of lines(body)) yield readEvent<T>(what, line);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error instanceof Error && error.name === "ApiError" ? error : unreachable(what, error);
  }
}

/** Yields complete lines only: an incomplete event at the end of the stream is dropped. */
async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending: string[] = [];
  for await (const chunk of body) {
    const [first = "", ...rest] = decoder.decode(chunk, { stream: true }).split("\n");
    pending.push(first);
    for (const part of rest) {
      const line = pending.join("");
      pending = [part];
      if (line.trim() !== "") yield line;
    }
  }
}

interface WireEvent {
  type: string;
  object: unknown;
}

function readEvent<T extends KubeObject>(what: string, line: string): WatchEvent<T> {
  const event = JSON.parse(line) as WireEvent;
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      return { type: event.type, object: event.object as T };
    default:
      throw errorFromAnswer(what, statusCode(event.object), event.object);
  }
}

function statusCode(status: unknown): number {
  const code = typeof status === "object" && status !== null && "code" in status ? status.code : undefined;
  return typeof code === "number" ? code : 500;
}

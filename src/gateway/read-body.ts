import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Ticket } from "../shared/in-flight.ts";

/** A body, or the reason why it could not be read. */
export type BodyResult = { ok: true; body: Buffer } | { ok: false; reason: "TooLarge" | "Busy" | "Truncated" };

/** A request whose body was not read yet. */
export type UnreadRequest = Readable & Pick<IncomingMessage, "headers" | "complete">;

/**
 * Reads a body once, as raw bytes, and never holds more than `maxBytes` of it. If `Content-Length` announces a body that is too
 * large, it is refused before a byte is read. A body without `Content-Length` is counted while it is read.
 */
export function readBody(request: UnreadRequest, ticket: Ticket, maxBytes: number): Promise<BodyResult> {
  const announced = request.headers["content-length"];
  const length = announced === undefined ? undefined : Number(announced);
  if (length !== undefined && length > maxBytes) return Promise.resolve({ ok: false, reason: "TooLarge" });
  if (length !== undefined && !ticket.grow(length)) return Promise.resolve({ ok: false, reason: "Busy" });
  return collect(request, maxBytes, (bytes) => length !== undefined || ticket.grow(bytes));
}

function collect(request: UnreadRequest, maxBytes: number, mayHold: (bytes: number) => boolean): Promise<BodyResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (result: BodyResult): void => {
      request.off("data", onData).off("end", onEnd).off("error", onBroken).off("close", onBroken);
      // The answer is decided: later errors of the request must not be unhandled.
      request.on("error", () => {});
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) return finish({ ok: false, reason: "TooLarge" });
      if (!mayHold(chunk.length)) return finish({ ok: false, reason: "Busy" });
      chunks.push(chunk);
    };
    const onEnd = (): void =>
      finish(request.complete ? { ok: true, body: Buffer.concat(chunks, size) } : { ok: false, reason: "Truncated" });
    const onBroken = (): void => finish({ ok: false, reason: "Truncated" });
    request.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onBroken);
  });
}

import type { Readable } from "node:stream";
import type { Clock } from "../shared/clock.ts";
import { describeError } from "../shared/errors.ts";
import { Refusal } from "./refusal.ts";

/** Time-out from the first byte of a body to the last. */
const bodyTimeoutMs = 30_000;

/**
 * Reads the whole body of a request, so that a slow or endless sender is recognised as the cause: if the body were streamed to the code host,
 * the host would time out first and count as down. `hold` gets the size of each chunk and throws if it is too much. Throws `Refusal` if the
 * body is incomplete or too slow.
 */
export async function wholeBody(
  request: Readable,
  clock: Clock,
  hold: (bytes: number) => void,
): Promise<Buffer<ArrayBuffer>> {
  // The stream must stay open after reading, because a body that is refused before its end still gets an answer.
  const body = request.iterator({ destroyOnReturn: false });
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(bodyTimeoutMs, () => late.reject(tooSlow()));
  const chunks: Buffer[] = [];
  try {
    for (;;) {
      const next = await Promise.race([body.next().catch(cutOff), late.promise]);
      if (next.done) return Buffer.concat(chunks);
      const chunk = next.value as Buffer;
      hold(chunk.length);
      chunks.push(chunk);
    }
  } finally {
    cancel();
  }
}

function tooSlow(): Refusal {
  return new Refusal(
    408,
    "RequestTooSlow",
    `the body of the request was not complete within ${bodyTimeoutMs / 1000} s; send it again`,
  );
}

function cutOff(error: unknown): never {
  throw new Refusal(
    400,
    "RequestCutOff",
    `the connection ended before the body of the request was complete: ${describeError(error)}`,
  );
}

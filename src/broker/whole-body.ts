import type { Readable } from "node:stream";
import type { Clock } from "../shared/clock.ts";
import { describeError } from "../shared/errors.ts";
import { Refusal } from "./refusal.ts";

/** How long a body may take from its first byte to its last. */
const patienceMs = 30_000;

/**
 * Reads a request's body whole, so that whoever sends it slowly, or never ends, is known for it: streamed on, the host would give up first
 * and count as down. `hold` is told each chunk's size and throws where it is too much. Throws `Refusal` where the body does not come.
 */
export async function wholeBody(
  request: Readable,
  clock: Clock,
  hold: (bytes: number) => void,
): Promise<Buffer<ArrayBuffer>> {
  // A body that is refused half-way is answered: its stream must outlive the reading.
  const body = request.iterator({ destroyOnReturn: false });
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(patienceMs, () => late.reject(tooSlow()));
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
  return new Refusal(408, "RequestTooSlow", `the request did not come whole within ${patienceMs / 1000} s`);
}

function cutOff(error: unknown): never {
  throw new Refusal(400, "RequestCutOff", `the request ended before its body did: ${describeError(error)}`);
}

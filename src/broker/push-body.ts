import { readCommands, type RefUpdate } from "./receive-pack.ts";
import { Refusal } from "./refusal.ts";

/** A push that is being received: the bytes read so far, the ref updates in them, and the rest of the body. */
export interface PushBody {
  head: Buffer;
  commands: RefUpdate[];
  rest: AsyncIterator<Buffer>;
}

/** Reads a push up to the end of its command list and leaves the rest unread. Throws `Refusal` if it is not a push or exceeds `maxBytes`. */
export async function openPush(request: AsyncIterable<Buffer>, maxBytes: number): Promise<PushBody> {
  const rest = limited(request, maxBytes);
  let head = Buffer.alloc(0);
  for (;;) {
    const next = await rest.next();
    if (next.done)
      throw new Refusal(400, "MalformedPush", "the request ended before its list of ref updates was complete");
    head = Buffer.concat([head, next.value]);
    const commands = readCommands(head);
    if (commands) return { head, commands, rest };
  }
}

/** Yields the whole push, but the last bytes only if `requireAllowed` does not throw. Without the last bytes the code host has no complete push. */
export async function* withholdEnd(
  { head, rest }: PushBody,
  requireAllowed: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  let held = head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    yield held;
    held = next.value;
  }
  await requireAllowed();
  yield held;
}

/** Throws `Refusal` if the declared size of a push exceeds the limit. */
export function requireSize(declared: number, maxBytes: number): void {
  if (declared > maxBytes) throw tooLarge(maxBytes);
}

async function* limited(request: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    requireSize(bytes, maxBytes);
    yield chunk;
  }
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, "PushTooLarge", `the push exceeds the maximum of ${maxBytes} bytes`);
}

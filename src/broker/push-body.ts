import { readCommands, type RefUpdate } from "./receive-pack.ts";
import { Refusal } from "./refusal.ts";

/** A push on its way: the bytes read so far, what they ask for, and the rest. */
export interface PushBody {
  head: Buffer;
  commands: RefUpdate[];
  rest: AsyncIterator<Buffer>;
}

/** Reads a push up to the end of its command list; the rest stays where it is. Throws `Refusal` where it is no push, or over `maxBytes`. */
export async function openPush(request: AsyncIterable<Buffer>, maxBytes: number): Promise<PushBody> {
  const rest = limited(request, maxBytes);
  let head = Buffer.alloc(0);
  for (;;) {
    const next = await rest.next();
    if (next.done) throw new Refusal(400, "MalformedPush", "the request ended before its list of ref updates did");
    head = Buffer.concat([head, next.value]);
    const commands = readCommands(head);
    if (commands) return { head, commands, rest };
  }
}

/** The whole push, its last bytes only after `allow` has not thrown: what the host has so far is no push. */
export async function* heldBack({ head, rest }: PushBody, allow: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
  let held = head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    yield held;
    held = next.value;
  }
  await allow();
  yield held;
}

/** Refuses a push that says beforehand that it is too large. */
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
  return new Refusal(413, "PushTooLarge", `a push may have at most ${maxBytes} bytes`);
}

/** Kinds of WebSocket frames (RFC 6455). */
export const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A received frame; continuations are already joined. */
export interface Frame {
  opcode: number;
  payload: Buffer;
}

/** Encodes a frame of the server: whole and not masked. */
export function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Creates a decoder of a client's frames. It takes the bytes as they arrive. */
export function createDecoder(receive: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let begun: Frame | undefined;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let part = readPart(rest); part; part = readPart(rest)) {
      rest = rest.subarray(part.bytes);
      const opcode = part.opcode === opcodes.continuation ? (begun?.opcode ?? 0) : part.opcode;
      // Control frames may come between the parts of a message.
      if (part.opcode >= opcodes.close) {
        receive({ opcode, payload: part.payload });
        continue;
      }
      begun = { opcode, payload: Buffer.concat([begun?.payload ?? Buffer.alloc(0), part.payload]) };
      if (!part.last) continue;
      receive(begun);
      begun = undefined;
    }
  };
}

interface Part extends Frame {
  last: boolean;
  /** Length with its head. */
  bytes: number;
}

/** Reads the first part of the bytes; undefined if it is not complete. */
function readPart(bytes: Buffer): Part | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = (second & 0x80) !== 0;
  const start = 2 + extra + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  const mask = bytes.subarray(start - 4, start);
  if (masked) for (let at = 0; at < length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return { opcode: first & 0x0f, payload, last: (first & 0x80) !== 0, bytes: start + length };
}

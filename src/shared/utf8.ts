const encoder = new TextEncoder();

/** Truncates a text to at most `maxBytes` of UTF-8, between characters; `mark` replaces the removed part. */
export function cutBytes(text: string, maxBytes: number, mark: string): string {
  // Fast path: a UTF-16 unit has at most three bytes.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  return utf8Prefix(text, maxBytes - Buffer.byteLength(mark)) + mark;
}

/** The first `maxBytes` of a text's UTF-8, whole characters only. */
export function utf8Prefix(text: string, maxBytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(Math.max(0, maxBytes)));
  return text.slice(0, read).toWellFormed();
}

/** The last `maxBytes` of UTF-8 bytes as text, whole characters only. */
export function utf8Suffix(bytes: Uint8Array, maxBytes: number): string {
  let start = Math.max(0, bytes.length - maxBytes);
  while (start > 0 && start < bytes.length && isContinuation(bytes[start])) start++;
  return Buffer.from(bytes.subarray(start)).toString("utf8");
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

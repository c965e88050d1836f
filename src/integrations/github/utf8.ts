/** The first `maxBytes` of a text's UTF-8, whole characters only. */
export function utf8Prefix(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  let end = Math.max(0, Math.min(maxBytes, bytes.length));
  while (end > 0 && end < bytes.length && isContinuation(bytes[end])) end--;
  return bytes.subarray(0, end).toString("utf8");
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

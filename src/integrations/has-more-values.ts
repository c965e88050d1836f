const [quote, backslash] = [0x22, 0x5c];
/**
 * Whether a JSON text has more than `most` values. Counts without parsing, because a few bytes on the wire can become
 * an object of a hundred bytes in memory. Reads each byte once; the count may be wrong if the text is not JSON.
 */
export function hasMoreValues(bytes: Uint8Array, most: number): boolean {
  if (bytes.length <= most) return false;
  let inText = false;
  let values = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (inText && byte === backslash) at += 1;
    else if (byte === quote) inText = !inText;
    else if (!inText && isBeforeValue(byte) && ++values > most) return true;
  }
  return false;
}

/** A value follows each comma, `[` and `{`. */
function isBeforeValue(byte: number): boolean {
  return byte === 0x2c || byte === 0x5b || byte === 0x7b;
}

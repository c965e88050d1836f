import { createHash } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const length = 26;

/**
 * The name of the task for a cause: `<integration>-<26 base32 characters of SHA-256(uid, cause)>`. The same cause always
 * has the same name, so the API server keeps the second one out. `more` tells apart what one cause makes twice (`retry`).
 */
export function taskName(integrationName: string, integrationUid: string, cause: string, ...more: string[]): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([integrationUid, cause, ...more]))
    .digest();
  return `${integrationName}-${base32(digest)}`;
}

/** 26 characters of 5 bits each: 130 bits. */
function base32(digest: Buffer): string {
  let bits = 0n;
  for (const byte of digest) bits = (bits << 8n) | BigInt(byte);
  const total = BigInt(digest.length * 8);
  return Array.from({ length }, (_, at) => alphabet[Number((bits >> (total - 5n * BigInt(at + 1))) & 31n)]).join("");
}

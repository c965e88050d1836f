import { createHash } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const length = 26;

/**
 * The name of the task for a cause: `<integration>-<26 base32 characters of SHA-256(uid, cause)>`. The same cause always
 * gives the same name, so the API server rejects a second task for it. `more` distinguishes several tasks of one cause (`retry`).
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

const minSecretLength = 8;
const mask = "[redacted]";

/** Well-known token shapes, taken out even where nobody told us the value. Lengths are open: formats change. */
const tokenShapes = [
  /\bgh[pousr]_[A-Za-z0-9_.-]{8,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{8,}/g,
  /\bglpat-[A-Za-z0-9_.-]{8,}/g,
  /\bxox[a-z]-[A-Za-z0-9-]{8,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
  // Tokens of three parts (JWT), and our own capabilities, of two.
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
];

/** Removes secrets from text. */
export type Redactor = (text: string) => string;

/**
 * Builds a redactor for the given secret values (8 characters and more; shorter ones would eat ordinary words).
 * Each value is recognised raw, base64 (at every alignment), base64url, URL- and form-encoded and JSON-escaped; well-known token shapes always go.
 */
export function redactor(secrets: Iterable<string>): Redactor {
  const needles = [...new Set([...secrets].filter((secret) => secret.length >= minSecretLength).flatMap(encodings))]
    .filter((needle) => needle.length >= minSecretLength)
    .sort((a, b) => b.length - a.length);
  return (text) =>
    tokenShapes.reduce(
      (out, shape) => out.replace(shape, mask),
      needles.reduce((out, needle) => out.replaceAll(needle, mask), text),
    );
}

function encodings(secret: string): string[] {
  return [secret, ...urlForms(secret), ...jsonForms(secret), ...base64Forms(secret)];
}

/** As a part of a URL, and as a value of a form (spaces are `+` there). */
function urlForms(secret: string): string[] {
  const form = new URLSearchParams([["", secret]]).toString().slice(1);
  return [encodeURIComponent(secret.toWellFormed()), form];
}

/** Between quotes: as we write it, with all but ASCII escaped (Python), and with slashes escaped (PHP). */
function jsonForms(secret: string): string[] {
  const plain = JSON.stringify(secret).slice(1, -1);
  const ascii = plain.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [plain, ascii, plain.replaceAll("/", String.raw`\/`), ascii.replaceAll("/", String.raw`\/`)];
}

/** The base64 characters that depend on the secret alone, wherever in a longer text it stood (offset 0, 1 or 2). */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const skip = offset === 0 ? 0 : offset + 1;
    const whole = (offset + bytes.length) % 3 === 0 ? encoded.length : encoded.length - 1;
    const stable = encoded.slice(skip, whole);
    return [stable, stable.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

const minSecretLength = 8;
const mask = "[redacted]";
/** What is held at once, at most: a few values an integration and a task; some 2 KiB each with all their forms. */
const maxHeld = 4_096;

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

/** The secrets that a process has read or made, so that no log line and no error repeats them, whoever echoes them. */
export interface SecretRegistry {
  /**
   * Remembers a value of 8 characters and more (shorter ones would eat ordinary words): raw, base64 (at every alignment), base64url, URL- and
   * form-encoded and JSON-escaped. The one that was held longest ago is forgotten where there are too many.
   */
  add(value: string | Uint8Array): void;
  /** Takes every value in hand out of a text, and well-known token shapes. */
  redact: Redactor;
}

/** Makes an empty hand. */
export function createSecretRegistry(max = maxHeld): SecretRegistry {
  const needles = needleSet();
  /** The forms of each value, oldest first. */
  const held = new Map<string, string[]>();
  const forget = (secret: string): void => {
    for (const needle of held.get(secret) ?? []) needles.remove(needle);
    held.delete(secret);
  };
  return {
    add(value) {
      const secret = typeof value === "string" ? value : Buffer.from(value).toString();
      const forms = held.get(secret) ?? encodings(secret);
      if (forms.length === 0) return;
      if (!held.delete(secret)) for (const needle of forms) needles.add(needle);
      held.set(secret, forms);
      const [oldest] = held.keys();
      if (held.size > max && oldest !== undefined) forget(oldest);
    },
    redact: (text) => withoutShapes(needles.mask(text)),
  };
}

/**
 * The hand of this process. One for all, because the errors and lines that may echo a secret are made where nobody can pass one:
 * whatever reads or mints a secret holds it here.
 */
export const secretRegistry = createSecretRegistry();

function withoutShapes(text: string): string {
  return tokenShapes.reduce((out, shape) => out.replace(shape, mask), text);
}

/** Texts to be masked, found by how they begin: what a line costs depends on its length, not on how many there are. */
interface NeedleSet {
  add(needle: string): void;
  remove(needle: string): void;
  /** Masks the longest needle at each place; those that overlap go as one. */
  mask: Redactor;
}

function needleSet(): NeedleSet {
  const byStart = new Map<string, string[]>();
  const startOf = (text: string, at = 0): string => text.slice(at, at + minSecretLength);
  const longestAt = (text: string, at: number): number =>
    (byStart.get(startOf(text, at)) ?? [])
      .filter((needle) => text.startsWith(needle, at))
      .reduce((longest, needle) => Math.max(longest, needle.length), 0);
  return {
    add: (needle) => void byStart.set(startOf(needle), [...(byStart.get(startOf(needle)) ?? []), needle]),
    remove(needle) {
      const left = byStart.get(startOf(needle)) ?? [];
      left.splice(left.indexOf(needle), 1);
      if (left.length === 0) byStart.delete(startOf(needle));
    },
    mask(text) {
      let out = "";
      let masked = 0;
      for (let at = 0; byStart.size > 0 && at + minSecretLength <= text.length; at++) {
        const length = byStart.has(startOf(text, at)) ? longestAt(text, at) : 0;
        if (length > 0 && at >= masked) out += text.slice(masked, at) + mask;
        if (length > 0) masked = Math.max(masked, at + length);
      }
      return out + text.slice(masked);
    },
  };
}

/** Every form of a secret that is long enough to be told from ordinary words; none of a secret that is not. */
function encodings(secret: string): string[] {
  if (secret.length < minSecretLength) return [];
  const forms = new Set([secret, ...urlForms(secret), ...jsonForms(secret), ...base64Forms(secret)]);
  return [...forms].filter((form) => form.length >= minSecretLength);
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

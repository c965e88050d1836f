const minSecretLength = 8;
const mask = "[redacted]";
/** Maximum number of registered secrets: a few for each integration and task; about 2 KiB each with all forms. */
const maxSecrets = 4_096;

/** Well-known token formats, redacted even if the value is not registered. Lengths are open, because formats change. */
const tokenShapes = [
  /\bgh[pousr]_[A-Za-z0-9_.-]{8,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{8,}/g,
  /\bglpat-[A-Za-z0-9_.-]{8,}/g,
  /\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
  // Tokens of three parts (JWT), and our own capabilities, of two.
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
];

/** Removes secrets from text. */
export type Redactor = (text: string) => string;

/** The secrets that a process has read or created, so that no log line and no error contains them. */
export interface SecretRegistry {
  /**
   * Registers a value of 8 or more characters (shorter ones would match ordinary words) in these forms: raw, base64 (at every alignment),
   * base64url, URL- and form-encoded, and JSON-escaped. If there are too many values, the one that was added longest ago is removed.
   */
  add(value: string | Uint8Array): void;
  /** Masks every registered value and every well-known token format in a text. */
  redact: Redactor;
}

/** Creates an empty secret registry. */
export function createSecretRegistry(max = maxSecrets): SecretRegistry {
  const needles = needleSet();
  /** The forms of each value, oldest first. */
  const registered = new Map<string, string[]>();
  const forget = (secret: string): void => {
    for (const needle of registered.get(secret) ?? []) needles.remove(needle);
    registered.delete(secret);
  };
  return {
    add(value) {
      const secret = typeof value === "string" ? value : Buffer.from(value).toString();
      const forms = registered.get(secret) ?? encodings(secret);
      if (forms.length === 0) return;
      if (!registered.delete(secret)) for (const needle of forms) needles.add(needle);
      registered.set(secret, forms);
      const [oldest] = registered.keys();
      if (registered.size > max && oldest !== undefined) forget(oldest);
    },
    redact: (text) => withoutShapes(needles.mask(text)),
  };
}

/**
 * The secret registry of this process. It is global, because errors and log lines that may contain a secret are created in places to which no
 * registry can be passed. All code that reads or creates a secret adds it here.
 */
export const secretRegistry = createSecretRegistry();

function withoutShapes(text: string): string {
  return tokenShapes.reduce((out, shape) => out.replace(shape, mask), text);
}

/** Texts to mask, indexed by their first characters: the cost of a line depends on its length, not on the number of texts. */
interface NeedleSet {
  add(needle: string): void;
  remove(needle: string): void;
  /** Masks the longest needle at each position; overlapping needles are masked together. */
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

/** All forms of a secret; none if the secret is too short to differ from ordinary words. */
function encodings(secret: string): string[] {
  if (secret.length < minSecretLength) return [];
  const forms = new Set([secret, ...urlForms(secret), ...jsonForms(secret), ...base64Forms(secret)]);
  return [...forms].filter((form) => form.length >= minSecretLength);
}

/** The forms as a part of a URL, and as a form value (with `+` for spaces). */
function urlForms(secret: string): string[] {
  const form = new URLSearchParams([["", secret]]).toString().slice(1);
  return [encodeURIComponent(secret.toWellFormed()), form];
}

/** The forms in a JSON string: as we write it, with all but ASCII escaped (Python), and with slashes escaped (PHP). */
function jsonForms(secret: string): string[] {
  const plain = JSON.stringify(secret).slice(1, -1);
  const ascii = plain.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [plain, ascii, plain.replaceAll("/", String.raw`\/`), ascii.replaceAll("/", String.raw`\/`)];
}

/** The base64 characters that depend only on the secret, for each position in a longer text (offset 0, 1 or 2). */
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

import { RE2JS } from "re2js";
import type { Fuel } from "./fuel.ts";
import { Failure, isMap, keysOf, maxText } from "./values.ts";

/** What one character costs one instruction of a regular expression, measured with the worst patterns and texts. */
const regexStepCost = 17;

/** A method that rules may call on a text. Neither makes a list. */
type TextMethod = (text: string, argument: string, fuel: Fuel) => unknown;

/** Methods with one text as argument. `contains` is charged for the worst that a search can take. */
export const textPredicates: Readonly<Record<string, TextMethod>> = {
  startsWith: (text, prefix, fuel) => (fuel.spend(prefix.length), text.startsWith(prefix)),
  endsWith: (text, suffix, fuel) => (fuel.spend(suffix.length), text.endsWith(suffix)),
  contains: (text, part, fuel) => {
    if (part.length > text.length) return false;
    fuel.spend(text.length * Math.max(1, Math.min(part.length, text.length - part.length + 1)));
    return text.includes(part);
  },
};

/** Methods without argument. */
export const textTransforms: Readonly<Record<string, (text: string, fuel: Fuel) => unknown>> = {
  lowerAscii: (text, fuel) => (fuel.spend(text.length * 10), flipCase(text, "A", "Z")),
  upperAscii: (text, fuel) => (fuel.spend(text.length * 10), flipCase(text, "a", "z")),
  trim: (text, fuel) => (fuel.spend(text.length * 4), text.trim()),
};

/** Turns the case of the ASCII letters between two. Over the bytes: a replacement for each letter costs many times as much. */
function flipCase(text: string, first: string, last: string): string {
  const bytes = Buffer.from(text, "utf16le");
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
  for (let at = 0; at < bytes.length; at += 2) {
    const low = bytes[at] ?? 0;
    if (low >= from && low <= to && bytes[at + 1] === 0) bytes[at] = low ^ 0x20;
  }
  return bytes.toString("utf16le");
}

/** Runs `use` on a text of bearable length, and fails for everything else. */
export function withText(value: unknown, use: (text: string) => unknown): unknown {
  if (value instanceof Failure) return value;
  if (typeof value !== "string") return new Failure("the rule uses as text what is none");
  if (value.length > maxText) return new Failure(`the rule uses a text of more than ${maxText} characters`);
  return use(value);
}

/** Characters of a text (code points), entries of a list or a map. */
export function size(value: unknown, fuel: Fuel): unknown {
  if (typeof value === "string") return withText(value, (text) => (fuel.spend(text.length * 3), codePoints(text)));
  if (Array.isArray(value)) return value.length;
  if (!isMap(value))
    return value instanceof Failure ? value : new Failure("the rule asks for the size of what has none");
  return keysOf(value, fuel).length;
}

function codePoints(text: string): number {
  let pairs = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00) pairs += Number((text.charCodeAt(at + 1) & 0xfc00) === 0xdc00);
  }
  return text.length - pairs;
}

/** A regular expression of RE2: the time is linear in the text, so it can be told beforehand and is charged. */
export function compilePattern(pattern: string): (text: string, fuel: Fuel) => boolean {
  const compiled = RE2JS.compile(pattern);
  const step = compiled.programSize() * regexStepCost;
  return (text, fuel) => {
    fuel.spend((text.length + 1) * step);
    return compiled.matcher(text).find();
  };
}

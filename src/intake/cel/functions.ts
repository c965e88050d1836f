import { RE2JS } from "re2js";
import type { Fuel } from "./fuel.ts";
import { Failure, isMap, keysOf, maxText } from "./values.ts";

/** The cost of one instruction of a regular expression for one character, measured with the worst patterns and texts. */
const regexStepCost = 17;

/** A method that rules may call on a text. No method creates a list. */
type TextMethod = (text: string, argument: string, fuel: Fuel) => unknown;

/** Methods with one text as argument. `contains` is charged the worst-case cost of a search. */
export const textPredicates: Readonly<Record<string, TextMethod>> = {
  startsWith: (text, prefix, fuel) => (fuel.spend(prefix.length), text.startsWith(prefix)),
  endsWith: (text, suffix, fuel) => (fuel.spend(suffix.length), text.endsWith(suffix)),
  contains: (text, part, fuel) => {
    if (part.length > text.length) return false;
    fuel.spend(text.length * Math.max(1, Math.min(part.length, text.length - part.length + 1)));
    return text.includes(part);
  },
};

/** Methods without arguments. */
export const textTransforms: Readonly<Record<string, (text: string, fuel: Fuel) => unknown>> = {
  lowerAscii: (text, fuel) => (fuel.spend(text.length * 10), flipCase(text, "A", "Z")),
  upperAscii: (text, fuel) => (fuel.spend(text.length * 10), flipCase(text, "a", "z")),
  trim: (text, fuel) => (fuel.spend(text.length * 4), text.trim()),
};

/** Switches the case of the ASCII letters from `first` to `last`. It works on bytes, because a replacement of each letter costs many times as much. */
function flipCase(text: string, first: string, last: string): string {
  const bytes = Buffer.from(text, "utf16le");
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
  for (let at = 0; at < bytes.length; at += 2) {
    const low = bytes[at] ?? 0;
    if (low >= from && low <= to && bytes[at + 1] === 0) bytes[at] = low ^ 0x20;
  }
  return bytes.toString("utf16le");
}

/** Calls `use` with a text of at most `maxText` characters; fails for every other value. */
export function withText(value: unknown, use: (text: string) => unknown): unknown {
  if (value instanceof Failure) return value;
  if (typeof value !== "string") return new Failure("expected a text operand");
  if (value.length > maxText) return new Failure(`the rule uses a text of more than ${maxText} characters`);
  return use(value);
}

/** The number of characters (code points) of a text, or of entries of a list or a map. */
export function size(value: unknown, fuel: Fuel): unknown {
  if (typeof value === "string") return withText(value, (text) => (fuel.spend(text.length * 3), codePoints(text)));
  if (Array.isArray(value)) return value.length;
  if (!isMap(value))
    return value instanceof Failure ? value : new Failure("expected a text, a list or a map for size()");
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

/** Compiles a regular expression with RE2. The time of a match is linear in the length of the text, so its cost is known in advance and charged. */
export function compilePattern(pattern: string): (text: string, fuel: Fuel) => boolean {
  const compiled = RE2JS.compile(pattern);
  const step = compiled.programSize() * regexStepCost;
  return (text, fuel) => {
    fuel.spend((text.length + 1) * step);
    return compiled.matcher(text).find();
  };
}

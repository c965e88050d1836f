import { RE2JS } from "re2js";
import type { Fuel } from "./values.ts";

/** The cost of one instruction of a regular expression for one character, measured with the worst patterns and texts. */
const regexStepCost = 17;
/** The cost to compile one Unicode class, in addition to its one instruction: thousands of ranges are merged. */
const unicodeClassCost = 80;
/** The number of characters of a range that cost one unit: in a case-insensitive pattern, the engine looks up the other cases of each character. */
const rangeCharactersPerUnit = 320;
/** The instructions for the start and the end of a group, and for the content of an empty group. */
const groupCost = 3;

/** One token of a pattern. The bound on names and numbers in braces keeps the work linear. Longer ones are read as single characters, which cost more. */
const token =
  /(?<quoted>\\Q[^]*?(?:\\E|$))|(?<unicode>\\[pP](?:\{[^}]{0,64}\}|[^])?)|(?<escape>\\(?:x\{[^}]{0,64}\}|[^]))|(?<set>\[\^?\]?(?:\\[^]|\[:\^?\w{0,16}:\]|[^\]\\])*\]?)|(?<flags>\(\?[a-zA-Z-]*\))|(?<open>\((?:\?(?:P?<\w*>|[a-zA-Z-]*:))?)|(?<close>\))|(?<either>\|)|\{(?<least>\d+)(?:,(?<most>\d*))?\}|(?<repeat>[*+?])|(?<plain>[^])/gu;

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

/** Compiles a regular expression with RE2. The time of a match is linear in the length of the text, so its cost is known in advance and charged. */
export function compilePattern(pattern: string): (text: string, fuel: Fuel) => boolean {
  const compiled = RE2JS.compile(pattern);
  const step = compiled.programSize() * regexStepCost;
  return (text, fuel) => {
    fuel.spend((text.length + 1) * step);
    return compiled.matcher(text).find();
  };
}

/**
 * The maximum cost to compile a regular expression, in instructions of its program. The engine expands counted repeats, so seven
 * characters become a thousand instructions, and a nested pair a million. Computed in linear time, without compiling the pattern.
 */
export function patternCost(pattern: string): number {
  const groups: Group[] = [{ before: 2, last: 0 }];
  let oneTime = 0;
  for (const { 0: text, groups: found = {} } of pattern.matchAll(token)) {
    oneTime += oneTimeCost(text, found);
    addToken(groups, text, found);
  }
  return groups.reduce((sum, { before, last }) => sum + before + last, oneTime);
}

/** A group that is being read: the cost of its content, and the cost of its last part, which a following repeat would multiply. */
interface Group {
  before: number;
  last: number;
}

type Found = Record<string, string | undefined>;

function addToken(groups: Group[], text: string, found: Found): void {
  const group = groups.at(-1);
  if (!group || found["flags"]) return;
  if (found["repeat"] ?? found["least"]) group.last = repeated(group.last, found);
  else if (found["open"]) groups.push({ before: groupCost, last: 0 });
  else if (found["close"]) closeGroup(groups);
  else add(group, found["either"] ? 2 : found["quoted"] === undefined ? 1 : text.length);
}

/** The cost of an expanded repeat: an exact count repeats the part alone, other counts add a branch to each copy. */
function repeated(size: number, { least = "1", most }: Found): number {
  const times = Math.max(1, Number(least), Number(most ?? "0"));
  return most ? (size + 1) * times : size * times + 1;
}

function closeGroup(groups: Group[]): void {
  const inner = groups.length > 1 ? groups.pop() : undefined;
  const outer = groups.at(-1);
  if (inner && outer) add(outer, inner.before + inner.last);
}

function add(group: Group, size: number): void {
  group.before += group.last;
  group.last = size;
}

/** The cost that is charged once, no matter how often the part is repeated. */
function oneTimeCost(text: string, { unicode, set }: Found): number {
  if (unicode) return unicodeClassCost;
  return set ? setCost(text) : 0;
}

const member =
  /\\[pP]|\[:|(?<from>\\x\{[0-9a-fA-F]*\}|\\x[0-9a-fA-F]{2}|\\?[^])(?:-(?<to>\\x\{[0-9a-fA-F]*\}|\\x[0-9a-fA-F]{2}|\\?[^]))?/gu;

function setCost(set: string): number {
  let cost = 0;
  for (const { groups: { from, to } = {} } of set.slice(1, -1).matchAll(member)) {
    if (from === undefined) cost += unicodeClassCost;
    else if (to !== undefined) cost += Math.max(0, codePoint(to) - codePoint(from)) / rangeCharactersPerUnit;
    else cost += 1 / 16;
  }
  return Math.ceil(cost);
}

function codePoint(character: string): number {
  const hex = /^\\x\{?([0-9a-fA-F]+)/.exec(character)?.[1];
  return hex === undefined ? (character.replace(/^\\/, "").codePointAt(0) ?? 0) : Number.parseInt(hex, 16);
}

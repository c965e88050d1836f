/** What compiling one class of Unicode costs beside its one instruction: its thousands of ranges are put together. */
const unicodeClassCost = 80;
/** How many characters of a range cost one unit: without case, the engine asks each for its other cases. */
const rangeCharactersPerUnit = 320;
/** Both ends of a group, and what stands for nothing in an empty one. */
const groupCost = 3;

/** Names and numbers in braces are short: the bound keeps the work linear, and a longer one is read as its characters, which cost more. */
const token =
  /(?<quoted>\\Q[^]*?(?:\\E|$))|(?<unicode>\\[pP](?:\{[^}]{0,64}\}|[^])?)|(?<escape>\\(?:x\{[^}]{0,64}\}|[^]))|(?<set>\[\^?\]?(?:\\[^]|\[:\^?\w{0,16}:\]|[^\]\\])*\]?)|(?<flags>\(\?[a-zA-Z-]*\))|(?<open>\((?:\?(?:P?<\w*>|[a-zA-Z-]*:))?)|(?<close>\))|(?<either>\|)|\{(?<least>\d+)(?:,(?<most>\d*))?\}|(?<repeat>[*+?])|(?<plain>[^])/gu;

/** A group while it is read: what stands in it, and its last part, which a repeat would multiply. */
interface Group {
  before: number;
  last: number;
}

/**
 * What compiling a regular expression costs at most, in instructions of its program: the engine writes out counted
 * repeats, so seven characters become a thousand and a nested pair a million. Tells it without compiling, in linear time.
 */
export function patternCost(pattern: string): number {
  const groups: Group[] = [{ before: 2, last: 0 }];
  let beside = 0;
  for (const { 0: text, groups: found = {} } of pattern.matchAll(token)) {
    beside += besideOf(text, found);
    step(groups, text, found);
  }
  return groups.reduce((sum, { before, last }) => sum + before + last, beside);
}

type Found = Record<string, string | undefined>;

function step(groups: Group[], text: string, found: Found): void {
  const group = groups.at(-1);
  if (!group || found["flags"]) return;
  if (found["repeat"] ?? found["least"]) group.last = repeated(group.last, found);
  else if (found["open"]) groups.push({ before: groupCost, last: 0 });
  else if (found["close"]) closeGroup(groups);
  else add(group, found["either"] ? 2 : found["quoted"] === undefined ? 1 : text.length);
}

/** What a repeat writes out: exact ones the part alone, the others a branch with each. */
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

/** What is paid once, however often the part is repeated. */
function besideOf(text: string, { unicode, set }: Found): number {
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

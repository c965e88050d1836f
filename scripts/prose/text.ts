/** A text that people read, and its place in the sources. */
export interface ProseText {
  kind: string;
  /** From the root of the repository. */
  path: string;
  /** From 1. */
  line: number;
  /** On one line; code inside a template stays as it is: `pod ${name} is gone`. */
  text: string;
}

/** Texts by kind, then by place. */
export function sorted(texts: readonly ProseText[]): ProseText[] {
  return [...texts].sort(
    (a, b) => compare(a.kind, b.kind) || compare(a.path, b.path) || a.line - b.line || compare(a.text, b.text),
  );
}

/** `count` texts without repetition, in the order of the draw. The same seed draws the same texts from the same list. */
export function sample(texts: readonly ProseText[], count: number, seed: number): ProseText[] {
  const random = mulberry32(seed);
  const left = [...texts];
  const drawn: ProseText[] = [];
  while (drawn.length < count && left.length > 0) drawn.push(...left.splice(Math.floor(random() * left.length), 1));
  return drawn;
}

/** The text on one line, with control characters escaped. */
export function oneLine(text: string): string {
  const escaped = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, escaped);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Numbers from 0 to below 1. Source: mulberry32 by Tommy Ettinger, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

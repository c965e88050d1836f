/** A piece of text with one style. */
export interface Inline {
  text: string;
  bold?: true;
  italic?: true;
  strike?: true;
  code?: true;
}

/**
 * Reads the text of one block: code, bold, italic and strikethrough. A link becomes its text and address, an image its description and address.
 * Marks that nothing closes are text. At most `maxPieces` pieces. Takes time linear in the text.
 */
export function readInline(text: string, maxPieces: number): Inline[] {
  const tokens = tokensOf(text);
  const styles = pairMarks(tokens);
  const pieces: Inline[] = [];
  const active: Record<Style, number> = { bold: 0, italic: 0, strike: 0 };
  for (const [at, token] of tokens.entries()) {
    const change = styles.get(at);
    if (change) {
      for (const style of change.styles) active[style] += change.by;
    } else if (token.text !== "" && !append(pieces, styled(token, active), maxPieces)) break;
  }
  return pieces;
}

type Style = "bold" | "italic" | "strike";
type Mark = "*" | "**" | "***" | "_" | "__" | "___" | "~~";

const stylesOf: Readonly<Record<Mark, readonly Style[]>> = {
  "*": ["italic"],
  _: ["italic"],
  "**": ["bold"],
  __: ["bold"],
  "***": ["bold", "italic"],
  ___: ["bold", "italic"],
  "~~": ["strike"],
};

/** A part of the text. A mark may open or close a style; if it does neither, its characters are text. */
interface Token {
  text: string;
  code?: true;
  mark?: Mark;
  opens?: boolean;
  closes?: boolean;
}

function styled({ text, code }: Token, active: Record<Style, number>): Inline {
  const piece: Inline = { text };
  if (active.bold > 0) piece.bold = true;
  if (active.italic > 0) piece.italic = true;
  if (active.strike > 0) piece.strike = true;
  if (code) piece.code = true;
  return piece;
}

/** Adds a piece, to the last one if that has the same style. False if there is no room. */
function append(pieces: Inline[], piece: Inline, maxPieces: number): boolean {
  const last = pieces.at(-1);
  if (last && hasSameStyle(last, piece)) {
    last.text += piece.text;
    return true;
  }
  if (pieces.length >= maxPieces) return false;
  pieces.push(piece);
  return true;
}

function hasSameStyle(a: Inline, b: Inline): boolean {
  return a.bold === b.bold && a.italic === b.italic && a.strike === b.strike && a.code === b.code;
}

interface Change {
  styles: readonly Style[];
  by: 1 | -1;
}

/** Finds the marks that belong together. Every mark enters the stack once and leaves it once. */
function pairMarks(tokens: readonly Token[]): Map<number, Change> {
  const changes = new Map<number, Change>();
  const stack: { mark: Mark; at: number }[] = [];
  const waiting = new Map<Mark, number>();
  const count = (mark: Mark, by: number): void => void waiting.set(mark, (waiting.get(mark) ?? 0) + by);
  for (const [at, { mark, opens, closes }] of tokens.entries()) {
    if (mark === undefined) continue;
    if (closes && (waiting.get(mark) ?? 0) > 0) {
      let top = stack.pop();
      for (; top && top.mark !== mark; top = stack.pop()) count(top.mark, -1);
      count(mark, -1);
      if (top) changes.set(top.at, { styles: stylesOf[mark], by: 1 });
      changes.set(at, { styles: stylesOf[mark], by: -1 });
    } else if (opens) {
      stack.push({ mark, at });
      count(mark, 1);
    }
  }
  return changes;
}

/** Escaped characters, code marks, style marks, and the brackets of links. */
const special = /\\[!-/:-@[-`{-~]|`+|\*+|_+|~+|!?\[|\]/g;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const brackets: number[] = [];
  const ends = linkEnds(text);
  const closing = closingRuns(text);
  let from = 0;
  const finder = new RegExp(special);
  for (let found = finder.exec(text); found; found = finder.exec(text)) {
    const [sign] = found;
    const at = found.index;
    if (at > from) tokens.push({ text: text.slice(from, at) });
    const read = readSign(text, { sign, at, ends, closing });
    if (read.bracket === "opens") brackets.push(tokens.length);
    else if (read.bracket === "closes") closeBracket(tokens, brackets, read.isLink);
    tokens.push(...read.tokens);
    from = read.to;
    finder.lastIndex = from;
  }
  tokens.push({ text: text.slice(from) });
  return tokens;
}

/** The bracket that opened a link is no text. */
function closeBracket(tokens: Token[], brackets: number[], isLink: boolean): void {
  const opening = tokens[brackets.pop() ?? -1];
  if (opening && isLink) opening.text = "";
}

interface Sign {
  sign: string;
  at: number;
  ends: LinkEnds;
  closing: ClosingRuns;
}

interface Read {
  tokens: Token[];
  /** Where reading goes on. */
  to: number;
  bracket?: "opens" | "closes";
  isLink: boolean;
}

function readSign(text: string, given: Sign): Read {
  const { sign, at } = given;
  const to = at + sign.length;
  if (sign.startsWith("\\")) return { tokens: [{ text: sign.slice(1) }], to, isLink: false };
  if (sign.startsWith("`")) return readCode(text, given);
  if (sign.endsWith("[")) return { tokens: [{ text: sign }], to, bracket: "opens", isLink: false };
  if (sign === "]") return readLinkEnd(text, given);
  return { tokens: [markOf(text, sign, at)], to, isLink: false };
}

function readCode(text: string, { sign, at, closing }: Sign): Read {
  const begin = at + sign.length;
  const end = closing.after(sign.length, begin);
  if (end === undefined) return { tokens: [{ text: sign }], to: begin, isLink: false };
  const inside = text.slice(begin, end).replaceAll("\n", " ");
  const isPadded = inside.startsWith(" ") && inside.endsWith(" ") && inside.trim() !== "";
  const code = isPadded ? inside.slice(1, -1) : inside;
  return { tokens: [{ text: code, code: true }], to: end + sign.length, isLink: false };
}

function readLinkEnd(text: string, { at, ends }: Sign): Read {
  const end = text[at + 1] === "(" ? ends.after(at + 2) : undefined;
  if (end === undefined) return { tokens: [{ text: "]" }], to: at + 1, bracket: "closes", isLink: false };
  const address = text.slice(at + 2, end);
  return { tokens: [{ text: ` (${address})` }], to: end + 1, bracket: "closes", isLink: true };
}

const space = /\s/;
const wordCharacter = /[\p{L}\p{N}]/u;

/** A mark opens before a character and closes after one; `_` inside a word does neither. Source: CommonMark, "Emphasis and strong emphasis". */
function markOf(text: string, sign: string, at: number): Token {
  if (!(sign in stylesOf)) return { text: sign };
  const [before = " ", after = " "] = [text[at - 1], text[at + sign.length]];
  const isUnderscore = sign.startsWith("_");
  return {
    text: sign,
    mark: sign as Mark,
    opens: !space.test(after) && !(isUnderscore && wordCharacter.test(before)),
    closes: !space.test(before) && !(isUnderscore && wordCharacter.test(after)),
  };
}

/** Finds where the address of a link ends. */
interface LinkEnds {
  /** The place of the `)` after `from`, if only an address stands before it. `from` must grow from call to call. */
  after(from: number): number | undefined;
}

/** Looks at each character at most once per search. */
function linkEnds(text: string): LinkEnds {
  const bad = /[\s()]/g;
  let next = -1;
  return {
    after(from) {
      if (next < from) {
        bad.lastIndex = from;
        next = bad.exec(text)?.index ?? text.length;
      }
      return text[next] === ")" && next > from ? next : undefined;
    },
  };
}

/** Finds the backticks that end code. */
interface ClosingRuns {
  /** The place of the first run of exactly `length` backticks at or after `from`. `from` must grow from call to call. */
  after(length: number, from: number): number | undefined;
}

function closingRuns(text: string): ClosingRuns {
  const runs = new Map<number, number[]>();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    const known = runs.get(run.length);
    if (known) known.push(index);
    else runs.set(run.length, [index]);
  }
  const next = new Map<number, number>();
  return {
    after(length, from) {
      const places = runs.get(length) ?? [];
      let at = next.get(length) ?? 0;
      while (at < places.length && (places[at] ?? 0) < from) at++;
      next.set(length, at);
      return places[at];
    },
  };
}

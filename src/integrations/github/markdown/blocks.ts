import { isReplyTail } from "./reply-tail.ts";

/** A run of lines that a reader sees as ordinary words, joined by line breaks. */
export interface Block {
  text: string;
  /** The place in the source of a place in `text`. */
  toSource(at: number): number;
}

const fenceStart = /^(`{3,}(?=[^`]*$)|~{3,})/;
const maxListDepth = 16;
const maxQuoteDepth = 16;

interface Line {
  text: string;
  /** Where in the source `text` begins. */
  start: number;
}

/** What earlier lines have opened. */
interface State {
  /** How many quotes this stands in. */
  depth: number;
  /** `column` is where the content of the list item around it begins. */
  fence: { char: string; length: number; column: number } | undefined;
  /** What the lines of the open quote have opened in it. */
  quote: State | undefined;
  /** Inside an HTML comment that began a line. */
  inComment: boolean;
  /** The line before was part of a quote's paragraph: the next one goes on with it, with or without `>`. */
  inQuote: boolean;
  /** Text stood on the line before, so four blanks do not begin code. */
  inParagraph: boolean;
  /** Column where the content of the innermost list item begins. */
  listIndent: number;
}

/**
 * The paragraphs of a text without quotes, fenced and indented code, and the tail of an e-mail reply. Follows the block
 * rules of CommonMark as far as they decide what is a quote and what is code. Source: spec.commonmark.org/0.31.2.
 */
export function visibleBlocks(source: string): Block[] {
  const lines = splitLines(source);
  const state = newState(0);
  const blocks: Block[] = [];
  let open: Line[] = [];
  const close = (): void => {
    if (open.length > 0) blocks.push(blockOf(open));
    open = [];
  };
  for (const [at, line] of lines.entries()) {
    if (!state.fence && !state.inComment && isReplyTail(lines, at)) break;
    const goesOn = state.inParagraph;
    const kept = visibleLine(state, line);
    if (!kept || !goesOn || kept.startsBlock) close();
    if (kept) open.push(kept);
  }
  close();
  return blocks;
}

function newState(depth: number): State {
  const flags = { inComment: false, inQuote: false, inParagraph: false };
  return { depth, fence: undefined, quote: undefined, listIndent: 0, ...flags };
}

/** A line of ordinary text; `startsBlock` where it does not go on with the paragraph above. */
type TextLine = Line & { startsBlock?: boolean };

/** The part of a line that is ordinary text; undefined where there is none. Moves the state on. */
function visibleLine(state: State, line: Line): TextLine | undefined {
  if (state.inComment) return inComment(state, line);
  const blank = line.text.trim() === "";
  const column = leadingColumns(line.text);
  // A line left of a list item ends the item, and what is open in it.
  if (state.fence && !blank && column < state.fence.column) state.fence = undefined;
  if (state.fence) return inFence(state, state.fence, line.text.trim(), column);
  if (blank) {
    Object.assign(state, { inParagraph: false, inQuote: false, quote: undefined });
    return undefined;
  }
  return textLine(state, line);
}

/** Four blanks make an end of a fence a line of its code. */
function inFence(state: State, fence: NonNullable<State["fence"]>, text: string, column: number): undefined {
  if (column - fence.column >= 4 || !/^(`{3,}|~{3,})$/.test(text)) return;
  if (text[0] === fence.char && text.length >= fence.length) state.fence = undefined;
}

/** What stands behind the end of the comment is ordinary text again. */
function inComment(state: State, line: Line): Line | undefined {
  const end = line.text.indexOf("-->");
  if (end < 0) return undefined;
  state.inComment = false;
  return { text: line.text.slice(end + 3), start: line.start + end + 3 };
}

function textLine(state: State, line: Line): TextLine | undefined {
  const { indent, column, content } = strip(state, line);
  const goesOn = (state.inParagraph || state.inQuote) && !content.marker;
  if (indent >= 4) return goesOn ? ordinary(state, content, false) : undefined;
  return opensHidden(state, content.text, column) ? undefined : ordinary(state, content, true);
}

/** Whether a line is a quote, or opens a fence or a comment; remembers which. */
function opensHidden(state: State, text: string, column: number): boolean {
  const fence = fenceStart.exec(text)?.[1];
  const isQuote = text.startsWith(">");
  const inComment = text.startsWith("<!--") && !text.includes("-->", 4);
  if (!fence && !isQuote && !inComment) return false;
  const quote = isQuote ? (state.quote ?? newState(state.depth + 1)) : undefined;
  Object.assign(state, { quote, inQuote: quote && endsInParagraph(quote, text), inComment, inParagraph: false });
  if (fence) state.fence = { char: fence.charAt(0), length: fence.length, column };
  return true;
}

/** Whether a quote's line is part of a paragraph: only with a paragraph may the next line go on without `>`. */
function endsInParagraph(quote: State, text: string): boolean {
  if (quote.depth > maxQuoteDepth) return true;
  visibleLine(quote, { text: text.replace(/^(?:>[ \t]?)+/, ""), start: 0 });
  return quote.inParagraph || quote.inQuote;
}

/** A line without `>` right under a quote's paragraph still belongs to it, unless it begins something of its own. */
function ordinary(state: State, content: Line & { marker: boolean }, mayStart: boolean): TextLine | undefined {
  const kind = mayStart ? kindOf(content.text, state.inParagraph) : "words";
  const startsBlock = content.marker || kind !== "words";
  if (state.inQuote && !startsBlock) return undefined;
  Object.assign(state, { inQuote: false, quote: undefined, inParagraph: kind === "words" });
  return { ...content, startsBlock };
}

/** Headings, lines across and whole comments are no paragraph, so four blanks behind them begin code. */
function kindOf(text: string, inParagraph: boolean): "heading" | "line" | "comment" | "words" {
  if (/^#{1,6}(?:\s|$)/.test(text) || (inParagraph && /^(?:=+|-+)\s*$/.test(text))) return "heading";
  if (/^(?:[-*_]\s*){3,}$/.test(text)) return "line";
  return text.startsWith("<!--") ? "comment" : "words";
}

/** Takes blanks and list markers off a line: how far the rest is indented from which column, and the rest. */
function strip(state: State, line: Line): { indent: number; column: number; content: Line & { marker: boolean } } {
  let { text, start } = line;
  let marker = false;
  let indent = leadingColumns(text);
  if (!state.inParagraph && indent < state.listIndent) state.listIndent = 0;
  let base = indent >= state.listIndent ? state.listIndent : 0;
  for (let depth = 0; depth < maxListDepth; depth++) {
    const found = markerOf(text, indent - base);
    if (!found) break;
    marker = true;
    base = indent + found.width;
    text = text.slice(found.chars);
    start += found.chars;
    indent = Math.max(base, base - 1 + leadingColumns(text));
  }
  if (marker) state.listIndent = base;
  const blanks = text.length - text.trimStart().length;
  return { indent: indent - base, column: base, content: { text: text.slice(blanks), start: start + blanks, marker } };
}

/** A list marker with its blanks: how many characters it takes and how wide it is, up to the one blank after it. */
function markerOf(text: string, indent: number): { chars: number; width: number } | undefined {
  if (indent >= 4) return undefined;
  const found = /^[ \t]*([-*+]|[0-9]{1,9}[.)])(?=[ \t])/.exec(text);
  if (!found || /^[ \t]*(?:([-*])[ \t]*)(?:\1[ \t]*){2,}$/.test(text)) return undefined;
  return { chars: found[0].length, width: (found[1] ?? "").length + 1 };
}

function leadingColumns(text: string): number {
  let columns = 0;
  for (const char of text) {
    if (char === " ") columns += 1;
    else if (char === "\t") columns += 4 - (columns % 4);
    else break;
  }
  return columns;
}

function splitLines(source: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const { index, 0: ending } of source.matchAll(/\r\n|\n|\r/g)) {
    lines.push({ text: source.slice(start, index), start });
    start = index + ending.length;
  }
  lines.push({ text: source.slice(start), start });
  return lines;
}

function blockOf(lines: Line[]): Block {
  const text = lines.map((line) => line.text).join("\n");
  return {
    text,
    toSource(at) {
      let left = at;
      for (const line of lines) {
        if (left <= line.text.length) return line.start + left;
        left -= line.text.length + 1;
      }
      return at;
    },
  };
}

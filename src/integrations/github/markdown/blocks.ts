import { isReplyTail } from "./reply-tail.ts";

/** Consecutive lines that a reader sees as ordinary text, joined by line breaks. */
export interface Block {
  text: string;
  /** Converts an index in `text` to the index in the source. */
  toSource(at: number): number;
}

const fenceStart = /^(`{3,}(?=[^`]*$)|~{3,})/;
const maxListDepth = 16;
const maxQuoteDepth = 16;

interface Line {
  text: string;
  /** Index in the source where `text` begins. */
  start: number;
}

/** Constructs that earlier lines opened and that are still open. */
interface State {
  /** Nesting depth in quotes. */
  depth: number;
  /** The open code fence; `column` is where the content of the list item around it begins. */
  fence: { char: string; length: number; column: number } | undefined;
  /** State inside the open quote. */
  quote: State | undefined;
  /** Inside an HTML comment that began a line. */
  inComment: boolean;
  /** The previous line was part of a paragraph in a quote. The next line continues it, with or without `>`. */
  inQuote: boolean;
  /** The previous line was text, so four spaces do not begin code. */
  inParagraph: boolean;
  /** Column where the content of the innermost list item begins. */
  listIndent: number;
}

/**
 * The paragraphs of a text, without quotes, fenced and indented code, and the tail of an e-mail reply. Follows the block
 * rules of CommonMark where they decide about quotes and code. Source: spec.commonmark.org/0.31.2.
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

/** A line of ordinary text; `startsBlock` if it does not continue the paragraph above. */
type TextLine = Line & { startsBlock?: boolean };

/** The part of a line that is ordinary text; undefined if there is none. Updates the state. */
function visibleLine(state: State, line: Line): TextLine | undefined {
  if (state.inComment) return inComment(state, line);
  const blank = line.text.trim() === "";
  const column = leadingColumns(line.text);
  // A line that begins left of a list item's content ends the item and everything open in it.
  if (state.fence && !blank && column < state.fence.column) state.fence = undefined;
  if (state.fence) return inFence(state, state.fence, line.text.trim(), column);
  if (blank) {
    Object.assign(state, { inParagraph: false, inQuote: false, quote: undefined });
    return undefined;
  }
  return textLine(state, line);
}

/** With four spaces before it, a closing fence is a line of the code. */
function inFence(state: State, fence: NonNullable<State["fence"]>, text: string, column: number): undefined {
  if (column - fence.column >= 4 || !/^(`{3,}|~{3,})$/.test(text)) return;
  if (text[0] === fence.char && text.length >= fence.length) state.fence = undefined;
}

/** The text after the end of the comment is ordinary text again. */
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

/** Whether a line is a quote or opens a fence or a comment; records it in the state. */
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

/** Whether a line of a quote is part of a paragraph. Only then may the next line continue the quote without `>`. */
function endsInParagraph(quote: State, text: string): boolean {
  if (quote.depth > maxQuoteDepth) return true;
  visibleLine(quote, { text: text.replace(/^(?:>[ \t]?)+/, ""), start: 0 });
  return quote.inParagraph || quote.inQuote;
}

/** A line without `>` directly below a paragraph of a quote still belongs to it, unless the line begins another block. */
function ordinary(state: State, content: Line & { marker: boolean }, mayStart: boolean): TextLine | undefined {
  const kind = mayStart ? kindOf(content.text, state.inParagraph) : "words";
  const startsBlock = content.marker || kind !== "words";
  if (state.inQuote && !startsBlock) return undefined;
  Object.assign(state, { inQuote: false, quote: undefined, inParagraph: kind === "words" });
  return { ...content, startsBlock };
}

/** Headings, horizontal rules and whole comments are not paragraphs, so four spaces after them begin code. */
function kindOf(text: string, inParagraph: boolean): "heading" | "line" | "comment" | "words" {
  if (/^#{1,6}(?:\s|$)/.test(text) || (inParagraph && /^(?:=+|-+)\s*$/.test(text))) return "heading";
  if (/^(?:[-*_]\s*){3,}$/.test(text)) return "line";
  return text.startsWith("<!--") ? "comment" : "words";
}

/** Removes spaces and list markers from the start of a line. Returns the rest, its base column, and its indent from there. */
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

/** A list marker with the spaces before it: its number of characters, and its width including one space after it. */
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

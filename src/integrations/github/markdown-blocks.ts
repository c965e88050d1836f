import { isReplyTail } from "./reply-tail.ts";

/** A run of lines that a reader sees as ordinary words, joined by line breaks. */
export interface Block {
  text: string;
  /** The place in the source of a place in `text`. */
  toSource(at: number): number;
}

const fenceStart = /^(`{3,}(?=[^`]*$)|~{3,})/;
const maxListDepth = 16;

interface Line {
  text: string;
  /** Where in the source `text` begins. */
  start: number;
}

/** What earlier lines have opened. */
interface State {
  fence: { char: string; length: number } | undefined;
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
  const state: State = { fence: undefined, inComment: false, inQuote: false, inParagraph: false, listIndent: 0 };
  const blocks: Block[] = [];
  let open: Line[] = [];
  const close = (): void => {
    if (open.length > 0) blocks.push(blockOf(open));
    open = [];
  };
  for (const [at, line] of lines.entries()) {
    if (!state.fence && !state.inComment && isReplyTail(lines, at)) break;
    const kept = visibleLine(state, line);
    if (kept) open.push(kept);
    else close();
  }
  close();
  return blocks;
}

/** The part of a line that is ordinary text; undefined where there is none. Moves the state on. */
function visibleLine(state: State, line: Line): Line | undefined {
  if (state.fence) return inFence(state, line);
  if (state.inComment) return inComment(state, line);
  if (line.text.trim() === "") {
    state.inParagraph = false;
    state.inQuote = false;
    return undefined;
  }
  return textLine(state, line);
}

function inFence(state: State, line: Line): undefined {
  const closing = /^\s*(`{3,}|~{3,})\s*$/.exec(line.text)?.[1];
  if (closing && state.fence && closing[0] === state.fence.char && closing.length >= state.fence.length) {
    state.fence = undefined;
  }
}

/** What stands behind the end of the comment is ordinary text again. */
function inComment(state: State, line: Line): Line | undefined {
  const end = line.text.indexOf("-->");
  if (end < 0) return undefined;
  state.inComment = false;
  return { text: line.text.slice(end + 3), start: line.start + end + 3 };
}

function textLine(state: State, line: Line): Line | undefined {
  const { indent, content } = strip(state, line);
  if (indent >= 4) return state.inParagraph || state.inQuote ? ordinary(state, content) : undefined;
  return opensHidden(state, content.text) ? undefined : ordinary(state, content);
}

/** Whether a line is a quote, or opens a fence or a comment; remembers which. */
function opensHidden(state: State, text: string): boolean {
  const fence = fenceStart.exec(text)?.[1];
  const inQuote = text.startsWith(">");
  const inComment = text.startsWith("<!--") && !text.includes("-->", 4);
  if (!fence && !inQuote && !inComment) return false;
  Object.assign(state, { inQuote, inComment, inParagraph: false });
  if (fence) state.fence = { char: fence.charAt(0), length: fence.length };
  return true;
}

/** A line without `>` right under a quote still belongs to it, unless it begins something of its own. */
function ordinary(state: State, content: Line & { marker: boolean }): Line | undefined {
  const startsBlock = content.marker || /^(#{1,6}\s|(?:[-*_]\s*){3,}$)/.test(content.text);
  if (state.inQuote && !startsBlock) return undefined;
  state.inQuote = false;
  state.inParagraph = !startsBlock || content.marker;
  return content;
}

/** Takes blanks and list markers off a line: how far the rest is indented, and the rest. */
function strip(state: State, line: Line): { indent: number; content: Line & { marker: boolean } } {
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
  return { indent: indent - base, content: { text: text.slice(blanks), start: start + blanks, marker } };
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

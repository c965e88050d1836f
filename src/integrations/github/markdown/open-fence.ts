/** Deeper nesting counts as ordinary text, because nobody reads it. */
const maxDepth = 12;

/** State at one level: the text itself, a quote or a list item. Code inside a container ends with the container. */
interface Level {
  depth: number;
  fence: string;
  /** It has no content yet. */
  empty: boolean;
  /** The previous line was text of a paragraph, which the next line continues at any indent. */
  inParagraph: boolean;
  child?: Container | undefined;
}

/** A quote, or a list item with the column where its content begins. */
interface Container {
  width: number | "quote";
  level: Level;
}

/**
 * The code fence that is still open at the end of a text, or "". A fence in a list item or a quote ends with it; a closing fence at the
 * margin would open a new one. Follows the block rules of CommonMark, except raw HTML. Linear time. Source: spec.commonmark.org/0.31.2.
 */
export function openFence(text: string): string {
  const top = levelAt(0);
  for (const line of text.split("\n")) read(top, spaced(line));
  return top.fence;
}

function levelAt(depth: number): Level {
  return { depth, fence: "", empty: true, inParagraph: false };
}

function read(level: Level, line: string): void {
  if (level.fence !== "") {
    if (closes(level.fence, line)) level.fence = "";
    return;
  }
  if (level.child && goesOn(level.child, line)) return;
  level.child = undefined;
  begin(level, line);
}

/** Passes the line on to the container, if the line belongs to it. */
function goesOn({ width, level }: Container, line: string): boolean {
  const inside = width === "quote" ? insideQuote(line) : insideItem(level, line, width);
  if (inside !== undefined) read(level, inside);
  return inside !== undefined || (inParagraph(level) && isWords(line));
}

function insideQuote(line: string): string | undefined {
  const [marker] = /^ {0,3}> ?/.exec(line) ?? [];
  return marker === undefined ? undefined : line.slice(marker.length);
}

/** A blank line belongs to the list item, unless the item is still empty. */
function insideItem(level: Level, line: string, width: number): string | undefined {
  if (line.trim() === "") return level.empty ? undefined : "";
  return line.search(/\S/) >= width ? line.slice(width) : undefined;
}

function inParagraph({ child, inParagraph: words }: Level): boolean {
  return child ? inParagraph(child.level) : words;
}

/** Reads a line that belongs to no open container. */
function begin(level: Level, line: string): void {
  const afterWords = level.inParagraph;
  level.inParagraph = false;
  if (line.trim() === "") return;
  level.empty = false;
  if (/^ {4}/.test(line)) {
    level.inParagraph = afterWords;
    return;
  }
  level.fence = fenceOf(line);
  if (level.fence !== "" || isRuleOrHeading(line, afterWords)) return;
  const found = level.depth < maxDepth ? containerOf(line, afterWords) : undefined;
  if (!found) {
    level.inParagraph = true;
    return;
  }
  level.child = { width: found.width, level: levelAt(level.depth + 1) };
  read(level.child.level, found.rest);
}

/** Whether a line begins no block, so that it continues a paragraph. */
function isWords(line: string): boolean {
  if (line.trim() === "") return false;
  if (/^ {4}/.test(line)) return true;
  return fenceOf(line) === "" && !isRuleOrHeading(line, false) && containerOf(line, false) === undefined;
}

/** No backticks may follow an opening fence of backticks: that would be a code span. */
function fenceOf(line: string): string {
  return /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line)?.[1] ?? "";
}

function closes(fence: string, line: string): boolean {
  const run = /^ {0,3}(`{3,}|~{3,}) *$/.exec(line)?.[1];
  return run?.startsWith(fence) === true;
}

function isRuleOrHeading(line: string, afterWords: boolean): boolean {
  if (/^ {0,3}(?:#{1,6}(?: |$)|(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$)/.test(line)) return true;
  return afterWords && /^ {0,3}(?:=+|-+) *$/.test(line);
}

interface Opened {
  width: Container["width"];
  rest: string;
}

/** The container (quote or list item) that a line opens. */
function containerOf(line: string, afterWords: boolean): Opened | undefined {
  const quoted = insideQuote(line);
  return quoted === undefined ? itemOf(line, afterWords) : { width: "quote", rest: quoted };
}

const item = /^( {0,3}(?:[-*+]|\d{1,9}[.)]))(?:( +)(.*)|$)/;
/** Inside a paragraph, a number begins a list only if it is 1, and an empty item does not begin one. */
const itemInWords = /^ {0,3}(?:[-*+]|0{0,8}1[.)]) +\S/;

function itemOf(line: string, afterWords: boolean): Opened | undefined {
  const [, marker, blanks = "", rest = ""] = item.exec(line) ?? [];
  if (marker === undefined || (afterWords && !itemInWords.test(line))) return undefined;
  // Five or more spaces count as one space followed by indented code.
  const width = marker.length + (rest === "" || blanks.length > 4 ? 1 : blanks.length);
  return { width, rest: line.slice(width) };
}

/** Replaces the tabs of a line with spaces. */
function spaced(line: string): string {
  if (!line.includes("\t")) return line;
  return line.replace(/[^\t]*\t/g, (part) => part.slice(0, -1).padEnd(Math.ceil(part.length / 4) * 4));
}

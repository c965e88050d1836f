import { utf8Prefix } from "../utf8.ts";
import { readInline, type Inline } from "./outline-inline.ts";

export type { Inline } from "./outline-inline.ts";

/** A block of an outline. */
export type OutlineBlock =
  | { type: "paragraph" | "heading" | "quote"; inline: Inline[] }
  | { type: "code"; text: string }
  | { type: "list"; items: OutlineItem[] };

/** An item of a list; `depth` is 0 for the outermost list. */
export interface OutlineItem {
  ordered: boolean;
  depth: number;
  inline: Inline[];
}

/** A Markdown text as a bounded tree. */
export interface Outline {
  blocks: OutlineBlock[];
  /** Whether a part of the text is missing, because a bound was reached. */
  isCut: boolean;
}

/** Bounds of an outline. Nodes are blocks, items and pieces of text. */
export interface OutlineBounds {
  maxBytes: number;
  maxNodes: number;
}

/** Lists are nested at most three deep; deeper items are shown at the last depth. */
const maxDepth = 3;

/**
 * Reads untrusted Markdown into a tree of paragraphs, headings, quotes, code, and lists. Everything else (HTML, tables, images, links) becomes
 * plain text, so the tree has nothing that could act. It is no full reader of Markdown: it reads each line once, in time linear in the text.
 */
export function outline(markdown: string, { maxBytes, maxNodes }: OutlineBounds): Outline {
  const text = utf8Prefix(markdown, maxBytes);
  const state: State = { blocks: [], open: undefined, nodes: 0, maxNodes, isAfterBlank: false };
  for (const line of text.split(/\r\n?|\n/)) {
    if (isFull(state)) break;
    readLine(state, line);
    state.isAfterBlank = line.trim() === "";
  }
  closeBlock(state);
  return { blocks: state.blocks, isCut: text.length < markdown.length || isFull(state) };
}

/** All text of an outline, with its blocks, in reading order. */
export function plainBlocks({ blocks }: Outline): string[] {
  const join = (inline: readonly Inline[]): string => inline.map(({ text }) => text).join("");
  return blocks.map((block) => {
    if (block.type === "code") return block.text;
    return block.type === "list" ? block.items.map(({ inline }) => join(inline)).join(" ") : join(block.inline);
  });
}

/** The lines of the block that is being read. */
type Open =
  | { type: "paragraph" | "quote"; lines: string[] }
  | { type: "code"; lines: string[]; fence: string }
  | { type: "list"; items: { ordered: boolean; depth: number; lines: string[] }[]; indents: number[] };

/** The state of the reader: the blocks so far, and the block that is being read. */
interface State {
  blocks: OutlineBlock[];
  open: Open | undefined;
  nodes: number;
  maxNodes: number;
  isAfterBlank: boolean;
}

const fence = /^[ \t]*(`{3,}|~{3,})/;
const heading = /^ {0,3}#{1,6}[ \t]+(?=\S)/;
const rule = /^ {0,3}(?:-[- \t]*|=+[ \t]*|\*[* \t]*|_[_ \t]*)$/;
const item = /^([ \t]*)([-*+]|\d{1,9}[.)])[ \t]+(?=\S)/;
const quote = /^ {0,3}(?:>[ \t]?)+/;
const task = /^\[([ xX])\][ \t]+/;

function isFull({ nodes, maxNodes }: State): boolean {
  return nodes >= maxNodes;
}

function readLine(state: State, line: string): void {
  if (state.open?.type === "code") return readCodeLine(state, state.open, line);
  // A list goes on after a blank line.
  if (line.trim() === "") return state.open?.type === "list" ? undefined : closeBlock(state);
  const fenced = fence.exec(line)?.[1];
  if (fenced !== undefined) return openBlock(state, { type: "code", lines: [], fence: fenced });
  if (isRule(line)) return closeBlock(state);
  const found = item.exec(line);
  if (found) return readItem(state, line, found);
  readOther(state, line);
}

function readCodeLine(state: State, code: Extract<Open, { type: "code" }>, line: string): void {
  const end = fence.exec(line)?.[1];
  if (end !== undefined && end.startsWith(code.fence) && line.trim() === end) closeBlock(state);
  else code.lines.push(line);
}

function readItem(state: State, line: string, [marker, indent = "", sign = ""]: RegExpExecArray): void {
  const list: Extract<Open, { type: "list" }> =
    state.open?.type === "list" ? state.open : { type: "list", items: [], indents: [] };
  if (list !== state.open) openBlock(state, list);
  const depth = depthOf(list.indents, indent.replaceAll("\t", "    ").length);
  const text = line.slice(marker.length).replace(task, (_, mark: string) => (mark === " " ? "☐ " : "☑ "));
  list.items.push({ ordered: /^\d/.test(sign), depth: Math.min(depth, maxDepth - 1), lines: [text.trim()] });
}

function readOther(state: State, line: string): void {
  const head = heading.exec(line)?.[0];
  const quoted = quote.exec(line)?.[0];
  if (head !== undefined) {
    closeBlock(state);
    add(state, { type: "heading", inline: inlineOf(state, [line.slice(head.length).trim()]) });
  } else if (quoted === undefined) readText(state, line);
  else if (state.open?.type === "quote") state.open.lines.push(line.slice(quoted.length));
  else openBlock(state, { type: "quote", lines: [line.slice(quoted.length)] });
}

/** Text behind an item belongs to it, unless it begins at the margin after a blank line. */
function readText(state: State, line: string): void {
  const { open, isAfterBlank } = state;
  const isInItem = open?.type === "list" && !(isAfterBlank && /^\S/.test(line));
  if (open?.type === "paragraph") open.lines.push(line.trim());
  else if (isInItem) open.items.at(-1)?.lines.push(line.trim());
  else openBlock(state, { type: "paragraph", lines: [line.trim()] });
}

function openBlock(state: State, next: Open): void {
  closeBlock(state);
  state.open = next;
}

function closeBlock(state: State): void {
  const done = state.open;
  state.open = undefined;
  if (!done || isFull(state)) return;
  if (done.type === "code") return add(state, { type: "code", text: done.lines.join("\n") });
  if (done.type !== "list") return add(state, { type: done.type, inline: inlineOf(state, done.lines) });
  const items: OutlineItem[] = [];
  for (const { lines, ordered, depth } of done.items) {
    if (isFull(state)) break;
    state.nodes++;
    items.push({ ordered, depth, inline: inlineOf(state, lines) });
  }
  add(state, { type: "list", items });
}

function add(state: State, block: OutlineBlock): void {
  state.nodes++;
  state.blocks.push(block);
}

function inlineOf(state: State, lines: readonly string[]): Inline[] {
  const read = readInline(lines.join("\n"), Math.max(0, state.maxNodes - state.nodes));
  state.nodes += read.length;
  return read;
}

/** A line that separates blocks, or underlines a heading. */
function isRule(line: string): boolean {
  return rule.test(line) && line.replace(/[ \t]/g, "").length >= 3;
}

/** The depth of an item by its indentation; `indents` are those of the items that it may belong to. */
function depthOf(indents: number[], indent: number): number {
  while (indents.length > 0 && indent < (indents.at(-1) ?? 0)) indents.pop();
  if (indents.length === 0 || indent > (indents.at(-1) ?? 0) + 1) indents.push(indent);
  return indents.length - 1;
}

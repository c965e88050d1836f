import { outline, type Inline, type OutlineBlock, type OutlineItem } from "../../../shared/markdown/outline.ts";
import { inert } from "./inert.ts";
import { fitted, sizeOf, type RichElement, type TextElement } from "./rich-text.ts";

const maxNodes = 1_000;
const cutMark = "… (cut: too long to show here)";

/** Renders the agent's Markdown as elements of rich text: paragraphs, headings in bold, quotes, lists, and code. Links are text. */
export function renderSummary(
  summary: string,
  bounds: { maxBytes: number; maxCharacters: number },
): { elements: RichElement[]; characters: number } {
  const { blocks, isCut } = outline(summary, { maxBytes: bytesFor(summary, bounds.maxBytes), maxNodes });
  const room: Room = { left: bounds.maxCharacters - cutMark.length, isCut };
  const elements: RichElement[] = [];
  for (const [at, block] of blocks.entries()) {
    if (room.left <= 0) room.isCut = true;
    else elements.push(...elementsOf(block, room, at > 0));
  }
  if (room.isCut && room.left > -cutMark.length) elements.push(section([{ type: "text", text: `\n${cutMark}` }]));
  return { elements, characters: bounds.maxCharacters - Math.max(0, room.left) };
}

/** Bytes of the summary itself: a cut one shares the limit with the mark. */
function bytesFor(summary: string, maxBytes: number): number {
  if (Buffer.byteLength(summary) <= maxBytes) return maxBytes;
  return Math.max(0, maxBytes - Buffer.byteLength(`\n${cutMark}`));
}

interface Room {
  /** Characters that may still be shown. */
  left: number;
  isCut: boolean;
}

/** Paragraphs of one block of rich text have no space between them, so a line end is put before all but the first. */
function elementsOf(block: OutlineBlock, room: Room, hasPrevious: boolean): RichElement[] {
  if (block.type === "list") return listElements(block.items, room);
  if (block.type === "code") {
    const elements = fit([{ type: "text", text: inert(block.text) }], room);
    return elements.length === 0 ? [] : [{ type: "rich_text_preformatted", elements }];
  }
  const texts = textsOf(block.inline, block.type === "heading");
  if (block.type === "quote") {
    const elements = fit(texts, room);
    return elements.length === 0 ? [] : [{ type: "rich_text_quote", elements }];
  }
  const elements = fit(hasPrevious ? [{ type: "text", text: "\n" }, ...texts] : texts, room);
  return elements.length === 0 ? [] : [section(elements)];
}

/** Slack has one list for each depth and kind; items that follow each other with the same ones share a list. */
function listElements(items: readonly OutlineItem[], room: Room): RichElement[] {
  const lists: Extract<RichElement, { type: "rich_text_list" }>[] = [];
  for (const { ordered, depth, inline } of items) {
    const elements = fit(textsOf(inline, false), room);
    if (elements.length === 0) continue;
    const style = ordered ? "ordered" : "bullet";
    const last = lists.at(-1);
    if (last && last.indent === depth && last.style === style) last.elements.push(section(elements));
    else lists.push({ type: "rich_text_list", style, indent: depth, elements: [section(elements)] });
  }
  return lists;
}

function section(elements: TextElement[]): { type: "rich_text_section"; elements: TextElement[] } {
  return { type: "rich_text_section", elements };
}

function fit(texts: readonly TextElement[], room: Room): TextElement[] {
  const elements = fitted(texts, Math.max(0, room.left));
  const [before, after] = [sizeOf(texts), sizeOf(elements)];
  if (after < before) room.isCut = true;
  room.left = after < before ? 0 : room.left - after;
  return elements;
}

function textsOf(inline: readonly Inline[], isHeading: boolean): TextElement[] {
  return inline.flatMap(({ text, ...own }): TextElement[] => {
    const style = isHeading ? { ...own, bold: true as const } : own;
    const shown = inert(text);
    if (shown === "") return [];
    return [{ type: "text", text: shown, ...(Object.keys(style).length > 0 ? { style } : {}) }];
  });
}

import type { PersonalQuestion } from "../../connection.ts";
import type { Block, Line, Report, ReportAction } from "../../report.ts";
import { chooseId, menuId } from "../elements.ts";
import { inertLine } from "./inert.ts";
import { lineElements, plainLine } from "./line.ts";
import {
  fitted,
  plainText,
  sizeOf,
  type Button,
  type Menu,
  type RichElement,
  type SlackBlock,
  type TextElement,
} from "./rich-text.ts";
import { renderSummary } from "./summary.ts";

/** The content of a message: blocks, and the text of notifications. */
export interface Rendered {
  blocks: SlackBlock[];
  text: string;
}

/** Slack accepts 50 blocks and about 13,000 characters in all of them; more is refused with `msg_blocks_too_long`. */
const maxBlocks = 50;
const maxCharacters = 12_000;
/** The most characters of one block but a summary. */
const maxBlockCharacters = 4_000;
const maxItems = 50;
const maxQuestion = 1_000;
const chooseLabel = "Choose a repository";
const cutMark = "… (cut: too long to show here)";

/**
 * Renders a report as Block Kit. All text is in elements of rich text, which Slack shows as it is, so nothing in untrusted text acts. Bellhop's
 * own blocks come first in the size budget, and the summary gets what is left.
 */
export function render(report: Report): Rendered {
  const tail = [...questionBlocks(report), ...actionBlocks(report)];
  const budget: Budget = { left: maxCharacters - tailSize(report) };
  const fixed = report.blocks.map((block) => ("summary" in block ? undefined : ownElements(block, report, budget)));
  const filled = report.blocks.map((block, at) => fixed[at] ?? summaryElements(block, budget));
  const body = filled.filter((elements) => elements.length > 0).map(richText);
  return { blocks: [...withinBlocks(body, maxBlocks - tail.length), ...tail], text: fallback(report) };
}

/** Renders the reply that notifies the requester that the report is over. */
export function renderEnd(report: Report): Rendered {
  const mention = lineElements([{ person: report.requester, notify: true }], report);
  const headline = headlineOf(report);
  const words: TextElement[] = headline ? fitted(lineElements(headline, report), maxBlockCharacters) : [];
  const line: TextElement[] = [...mention, { type: "text", text: " " }, ...words];
  return { blocks: [richText([{ type: "rich_text_section", elements: line }])], text: fallback(report) };
}

interface Budget {
  /** Characters that may still be shown. */
  left: number;
}

function richText(elements: RichElement[]): SlackBlock {
  return { type: "rich_text", elements };
}

function ownElements(block: Exclude<Block, { summary: string }>, report: Report, budget: Budget): RichElement[] {
  if ("line" in block) return section(lineElements(block.line, report), budget);
  const lines = "list" in block ? block.list.map((line) => lineElements(line, report)) : checked(block, report);
  const items = lines.slice(0, maxItems);
  if (lines.length > maxItems) items.push([{ type: "text", text: cutMark }]);
  const elements = items.flatMap((line) => section(line, budget));
  return elements.length === 0
    ? []
    : [{ type: "rich_text_list", style: "numbered" in block ? "ordered" : "bullet", indent: 0, elements }];
}

function checked({ checklist }: Extract<Block, { checklist: unknown }>, report: Report): TextElement[][] {
  return checklist.map(({ done, line }) => [{ type: "text", text: done ? "☑ " : "☐ " }, ...lineElements(line, report)]);
}

function section(
  line: readonly TextElement[],
  budget: Budget,
): { type: "rich_text_section"; elements: TextElement[] }[] {
  const elements = fitted(line, Math.min(budget.left, maxBlockCharacters));
  budget.left -= sizeOf(elements);
  return elements.length === 0 ? [] : [{ type: "rich_text_section", elements }];
}

function summaryElements(block: Block, budget: Budget): RichElement[] {
  if (!("summary" in block)) return [];
  const { elements, characters } = renderSummary(block.summary, {
    maxBytes: block.maxBytes,
    maxCharacters: budget.left,
  });
  budget.left -= characters;
  return elements;
}

/** How many characters the question and the buttons show, or a few more. */
function tailSize({ question, actions }: Report): number {
  return actions.length * 10 + (question ? Math.min(question.text.length, maxQuestion) + 40 : 0);
}

/** Further blocks are joined to the last one that fits. */
function withinBlocks(blocks: readonly SlackBlock[], most: number): SlackBlock[] {
  if (blocks.length <= most) return [...blocks];
  const rest = blocks.slice(most - 1).flatMap((block) => (block.type === "rich_text" ? block.elements : []));
  return [...blocks.slice(0, most - 1), richText(rest)];
}

const buttons: Readonly<Record<ReportAction, Pick<Button, "style"> & { label: string }>> = {
  stop: { label: "Stop", style: "danger" },
  retry: { label: "Retry" },
  approve: { label: "Approve", style: "primary" },
};

/** The value of a button names its command and the task, so that a click acts on the task of this report. */
function actionBlocks({ actions, task }: Report): SlackBlock[] {
  if (actions.length === 0) return [];
  const elements = actions.map((action): Button => {
    const { label, ...style } = buttons[action];
    const value = `${action}:${task}`;
    return { type: "button", action_id: `bellhop/${action}`, text: plainText(label, 75), value, ...style };
  });
  return [{ type: "actions", block_id: "bellhop/actions", elements }];
}

/** The question as a text. The button asks for the menu, which only the person who used it sees; anybody can write the answer instead. */
function questionBlocks({ question, task }: Report): SlackBlock[] {
  if (!question) return [];
  const choose: Button = {
    type: "button",
    action_id: chooseId,
    text: plainText(chooseLabel, 75),
    value: `choose:${task}`,
  };
  return [
    {
      type: "section",
      block_id: "bellhop/question",
      text: plainText(inertLine(question.text), maxQuestion),
      ...(question.choices.length > 0 ? { accessory: choose } : {}),
    },
  ];
}

/** Renders the question to one person, with the menu. The value of a choice is the repository, so the block names the task. */
export function renderQuestion({ task, text }: PersonalQuestion): Rendered {
  const menu: Menu = {
    type: "external_select",
    action_id: menuId,
    placeholder: plainText(chooseLabel, 150),
    min_query_length: 0,
  };
  const shown = plainText(inertLine(text), maxQuestion);
  const block: SlackBlock = { type: "section", block_id: `bellhop/use:${task}`, text: shown, accessory: menu };
  return { blocks: [block], text: escaped(shown.text) };
}

function headlineOf({ blocks }: Report): Line | undefined {
  return blocks.map((block) => ("line" in block ? block.line : undefined)).find((line) => line !== undefined);
}

/** The text of notifications: Bellhop's own words of the first line, escaped. Source: Slack, "Formatting message text", escaping. */
function fallback(report: Report): string {
  const line = plainLine(headlineOf(report) ?? [], report)
    .slice(0, 300)
    .trim();
  return escaped(line === "" ? "Bellhop" : line);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

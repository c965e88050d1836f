import { activeParts } from "./active.ts";
import { blockFaults } from "./api/blocks.ts";

type Json = Record<string, unknown>;

/** Blocks and elements whose text Slack shows as it is, without markup. */
const inertTypes = new Set([
  "rich_text",
  "rich_text_section",
  "rich_text_list",
  "rich_text_quote",
  "rich_text_preformatted",
  "text",
  "section",
  "actions",
]);
/** Slack refuses more in all blocks of a message; measured by others, not documented. */
const maxCharacters = 13_000;
/** The length to which Slack advises to keep `text`. */
const maxText = 4_000;
const hidden = /[\0\u200b\u202a-\u202e\u2066\u2067]|[\u{e0000}-\u{e007f}]|\p{M}{4}/u;

/**
 * Lists everything in a message that acts in Slack or that Slack refuses: mentions, links, images, menus and buttons, blocks and elements with
 * markup, hidden characters, and exceeded limits. When in doubt a part acts. Sources: Slack's pages on Block Kit and on message text.
 */
export function actsIn(message: {
  text: string;
  blocks: Json[];
  unfurls?: { links: boolean; media: boolean };
}): string[] {
  const { text, blocks, unfurls } = message;
  const nodes = nodesOf(blocks);
  const characters = nodes.reduce((sum, { text: shown }) => sum + (typeof shown === "string" ? shown.length : 0), 0);
  return [
    ...activeParts({ text, blocks }).map((part) => `${part.kind}: ${targetOf(part.text)}`),
    ...nodes.flatMap(actsOf),
    ...blockFaults(blocks).map((fault) => `limit: ${fault}`),
    ...(characters > maxCharacters ? [`limit: ${characters} characters in all blocks`] : []),
    ...(text.length > maxText ? [`limit: a text of ${text.length} characters`] : []),
    ...(unfurls?.links === true || unfurls?.media === true ? ["unfurls: its links"] : []),
    ...(hidden.test(text) ? ["hidden character: in the text"] : []),
  ];
}

/** The target of a link of a block, without the text that it shows, or the part itself. */
function targetOf(part: string): string {
  const url = part.startsWith("{") ? (JSON.parse(part) as Json)["url"] : undefined;
  return typeof url === "string" ? url : part.slice(0, 200);
}

function actsOf(node: Json): string[] {
  const { type } = node;
  if (typeof type !== "string") return [];
  const shown = typeof node["text"] === "string" ? node["text"] : "";
  const own = hidden.test(shown) ? ["hidden character: in a block"] : [];
  if (type === "plain_text") return [...own, ...(node["emoji"] === false ? [] : [`emoji: ${shown.slice(0, 80)}`])];
  return inertTypes.has(type) ? own : [...own, `${type}: ${idOf(node)}`];
}

/** The fields that distinguish an element of Bellhop's own from one that a text brought in. */
function idOf(node: Json): string {
  return JSON.stringify([
    node["action_id"],
    node["value"],
    node["url"],
    node["user_id"],
    node["type"] === "mrkdwn" && node["text"],
  ]);
}

/** All objects of a message, at every depth. */
function nodesOf(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== "object" || value === null) return [];
  return [value as Json, ...Object.values(value).flatMap(nodesOf)];
}

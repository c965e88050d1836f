import type { Nodes, Parents, PhrasingContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

/**
 * Lists everything in a comment that acts at GitHub: notifies, links elsewhere, embeds, closes or marks something, is hidden, or commands. Reads
 * Markdown with a reader that is not ours. When in doubt a text acts. Links to the server itself do not count, nor do references to issues of
 * the same repository. Source: GitHub Flavored Markdown, and GitHub's pages on mentions, references and keywords.
 */
export function actsInMarkdown(source: string, host: string): string[] {
  const tree = fromMarkdown(source, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  return [...inNode(tree, host), ...matches(source, inSource)];
}

/** Lists what acts in a text without Markdown: a commit message, or the title of a pull request, which becomes one. */
export function actsInMessage(text: string): string[] {
  return [...matches(text, inText), ...matches(text, inCommit)];
}

type Patterns = Readonly<Record<string, RegExp>>;
const reference = String.raw`(?:#\d|gh-\d|[\w.-]{1,100}\/[\w.-]{1,100}#\d|https?:\/\/\S{1,500}\/(?:issues|pull)\/\d)`;
const hiddenCharacter = /[\0\u202a-\u202e\u2066\u2067]|[\u{e0000}-\u{e007f}]/gu;
/** In text that a reader sees, after entities and escapes are resolved. */
const inText: Patterns = {
  mention: /@[A-Za-z0-9][\w-]*/g,
  "closing keyword": new RegExp(String.raw`\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b[\s:*_]+${reference}`, "gi"),
  "reference to another repository": /(?<=\/)[\w.-]{1,100}#\d+/g,
  formula: /\\(?:href|url|includegraphics)\b/g,
};
const inComment: Patterns = { ...inText, duplicate: /\bduplicate\s+of\s/gi };
/** In the source: GitHub, its Apps and people's workflows search it without a Markdown reader. */
const inSource: Patterns = {
  "quick action": /^[\s>*+\-#\d.)]*\/[a-z]\w*/gim,
  marker: /<!--\s*bellhop:[^>]*/g,
  formula: /\$`[^`]*\\(?:href|url|includegraphics)\b/g,
  "hidden character": hiddenCharacter,
};
const inCommit: Patterns = {
  "hidden character": hiddenCharacter,
  "skip mark": /\[(?:skip|no|ci) (?:ci|skip)\]|\[(?:skip actions|actions skip)\]|\*{3}NO_CI\*{3}|^skip-checks:/gim,
  trailer: /^[\w-]{1,50}-by:/gim,
};
const renderedCode = new Set(["suggestion", "mermaid", "math", "geojson", "topojson", "stl"]);

function matches(text: string, patterns: Patterns): string[] {
  return Object.entries(patterns).flatMap(([name, pattern]) =>
    [...text.matchAll(pattern)].map(([found]) => `${name}: ${found.slice(0, 80)}`),
  );
}

function inNode(node: Nodes, host: string): string[] {
  const own = actOf(node, host);
  if (own !== undefined) return [own];
  if (!("children" in node)) return [];
  return [
    ...(isOfText(node) ? matches(textOf(node), inComment) : []),
    ...node.children.flatMap((child) => inNode(child, host)),
  ];
}

/** The act of a node itself, without its children. */
function actOf(node: Nodes, host: string): string | undefined {
  if (node.type === "html") return `HTML: ${node.value.slice(0, 80)}`;
  if (node.type === "image" || node.type === "imageReference") return `image: ${node.alt ?? ""}`;
  if (node.type === "linkReference") return `link: ${node.identifier}`;
  if (node.type === "footnoteReference" || node.type === "footnoteDefinition") return `footnote: ${node.identifier}`;
  if (node.type === "code" && renderedCode.has(node.lang ?? "")) return `rendered code: ${node.lang ?? ""}`;
  if ((node.type === "link" || node.type === "definition") && !isOn(host, node.url)) return `link: ${node.url}`;
  return undefined;
}

function isOn(host: string, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const parsed = new URL(url);
  return parsed.protocol === "https:" && parsed.host === host && parsed.username === "";
}

function isOfText(node: Parents): boolean {
  return node.type === "paragraph" || node.type === "heading" || node.type === "tableCell";
}

/** The text of a paragraph as GitHub searches it: code interrupts it, and nothing else does. */
function textOf(node: Parents): string {
  return node.children.map((child) => phrase(child as PhrasingContent)).join("");
}

function phrase(node: PhrasingContent): string {
  if (node.type === "text") return node.value;
  if (node.type === "break") return "\n";
  return "children" in node ? textOf(node) : "\0";
}

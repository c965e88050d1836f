import { shortened } from "../../excerpt.ts";
import { findMention } from "../mention.ts";
import { stripHidden } from "../markdown/strip.ts";

/** How many characters of a text are searched for the mention and for hidden text: the maximum length of a comment at GitHub. */
const maxRead = 65_536;
/** How many characters of the visible text are processed: more than the excerpt needs, because markup is removed. */
const maxScanned = 8_192;

/**
 * The beginning of the request in a text: the text after the bot's mention, or the text before it if nothing follows. One line of at most
 * 80 characters as a reader sees them, without the mention and the markup. Empty if there is no such text, or if the mention is too far down to
 * be found. Still untrusted.
 */
export function excerpt(text: string, mention: string | undefined): string {
  const bot = mention ?? "";
  const read = text.slice(0, maxRead);
  const isCut = read.length < text.length;
  const call = findMention(read, bot);
  if (!call && bot !== "" && isCut) return "";
  const asked = beginningOf(call?.words ?? "", bot, isCut);
  return asked === "" ? beginningOf(read, bot, isCut) : asked;
}

/** The first paragraph of a text as plain text. `isCut`: the original text continues after its end. */
function beginningOf(text: string, bot: string, isCut: boolean): string {
  const stripped = withoutInstructions(stripHidden(text), isCut);
  const goesOn = isCut || stripped.length > maxScanned;
  const scanned = stripped.slice(0, maxScanned);
  const seen = withoutMention(goesOn ? withoutOpenEnd(scanned) : scanned, bot);
  const [first = "", ...more] = seen
    .split(/\n[ \t]*\n/)
    .map((paragraph) => plain(paragraph))
    .filter((words) => words !== "");
  return shortened(first, more.length > 0 || goesOn);
}

/**
 * Removes processing instructions, CDATA sections and declarations, which GitHub does not show. One without an end hides the rest of the
 * text if it begins a line; inside a line it is ordinary text. In a text that was cut it always hides the rest, because its end may have
 * been cut off. Source: CommonMark, "HTML blocks" and "Raw HTML".
 */
function withoutInstructions(text: string, isCut: boolean): string {
  const isHidden = (out: string, end: string, at: number): boolean => end !== "" || isCut || beginsLine(out, at);
  return instructions.reduce(
    (out, find) =>
      out.replace(find, (whole: string, end: string, at: number) => (isHidden(out, end, at) ? " " : whole)),
    text,
  );
}

/**
 * Each pattern matches up to its end, or to the end of the text, so that nothing is searched twice. The last pattern is a CDATA section
 * without text, written like an image.
 */
const instructions = [/<\?[^]*?(\?>|$)/g, /<!\[CDATA\[[^]*?(\]\]>|$)/g, /<![A-Za-z][^>]*(>|$)/g, /<!\[\](>)/g];

/** Whether only markers of quotes and lists precede a position in its line. */
function beginsLine(text: string, at: number): boolean {
  return /^[\s>*+\-\d.)]*$/.test(text.slice(text.lastIndexOf("\n", at - 1) + 1, at));
}

/** Removes all mentions of the bot, with the `:` or `,` after them. */
function withoutMention(text: string, bot: string): string {
  if (bot === "") return text;
  const name = bot.replace(/[^A-Za-z0-9]/g, String.raw`\$&`);
  return text.replace(new RegExp(String.raw`(?<![\w@/])@${name}(?:\[bot\])?(?![\w-])[:,]?`, "gi"), "");
}

/** Converts Markdown to plain text: removes markers of blocks, fences, images, tags and emphasis; links keep their text. */
function plain(markdown: string): string {
  return markup
    .reduce((text, { find, write }) => text.replace(find, write), markdown)
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Each pattern takes time linear in the length of the text: repeated parts have a maximum length, or end where the same construct begins
 * again.
 */
const markup: { find: RegExp; write: string }[] = [
  { find: /^[ \t]*(?:`{3,}|~{3,}).*$/gm, write: "" },
  { find: /^[ \t]*(?:(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|\[[ xX]\][ \t])[ \t]*)+/gm, write: "" },
  { find: /!\[[^\][\n]*\](?:\([^)\n]{0,2048}\)|\[[^\][\n]*\])/g, write: "" },
  { find: /\[([^\][\n]+)\](?:\([^)\n]{0,2048}\)|\[[^\][\n]*\])/g, write: "$1" },
  { find: /<(https?:[^<>\s]*)>/g, write: "$1" },
  { find: /<\/?[A-Za-z][^<>\n]*>/g, write: "" },
  { find: /\*\*|~~|`/g, write: "" },
  { find: /(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?!\w)/g, write: "$1" },
  { find: /(?<!\w)(_{1,2})(?=[^\s_])([^_\n]*[^\s_])\1(?!\w)/g, write: "$2" },
];

/** A tag with its quoted attribute values, up to its `>` or to the end of the text; the group is empty if the tag does not end. */
const tag = /<\/?[A-Za-z](?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^"'>])*(>|$)/g;
const bracket = /\\[^\n]|\n[ \t]*\n|!?\[|\]\(|\]|\)/g;

/**
 * Removes the markup that is left open at the end of a text that was cut: a tag, an image, or the destination or title of a link. Linear
 * time.
 */
function withoutOpenEnd(text: string): string {
  const closed = text.replace(tag, (whole, end: string) => (end === ">" ? whole : ""));
  return closed.slice(0, openLink(closed));
}

interface Open {
  at: number;
  kind: "image" | "label" | "destination";
}

/**
 * Index of the first image or link destination that does not end; one pass with a stack. A blank line closes every bracket, as in Markdown.
 */
function openLink(text: string): number {
  let open: Open[] = [];
  for (const { 0: token, index } of text.matchAll(bracket)) {
    if (token.startsWith("\n")) open = [];
    else open.push(...afterToken(open, token, index));
  }
  return open.find(({ kind }) => kind !== "label")?.at ?? text.length;
}

/** Removes from the stack what a token closes, and returns what the token opens. */
function afterToken(open: Open[], token: string, at: number): Open[] {
  if (token.endsWith("[")) return [{ at, kind: token === "[" ? "label" : "image" }];
  const inDestination = open.at(-1)?.kind === "destination";
  if (token === ")" && inDestination) open.pop();
  if (!token.startsWith("]") || inDestination) return [];
  const label = open.pop();
  return label && token === "](" ? [{ at: label.at, kind: "destination" }] : [];
}

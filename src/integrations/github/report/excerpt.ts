import { findMention } from "../mention.ts";
import { stripHidden } from "../markdown/strip.ts";

/** How much of a text is read, for the bot's mention and for what nobody sees: as much as GitHub takes in a comment. */
const maxRead = 65_536;
/** How much is looked at of what a reader may see: longer than what is shown, for markup that is taken out. */
const maxScanned = 8_192;
const maxCharacters = 80;

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

/** `isCut`: the text goes on behind its end. */
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
 * Text without processing instructions, CDATA sections and declarations, which a page does not show. One that does not end hides the rest, unless
 * it stands in a line, where it is text (but not if the text is cut: its end may be behind the cut). Source: CommonMark, "HTML blocks" and "Raw HTML".
 */
function withoutInstructions(text: string, isCut: boolean): string {
  const isHidden = (out: string, end: string, at: number): boolean => end !== "" || isCut || beginsLine(out, at);
  return instructions.reduce(
    (out, find) =>
      out.replace(find, (whole: string, end: string, at: number) => (isHidden(out, end, at) ? " " : whole)),
    text,
  );
}

/** Each matches to its end, or to the end of the text: nothing is looked through twice. The last is a CDATA section without its text, as an image. */
const instructions = [/<\?[^]*?(\?>|$)/g, /<!\[CDATA\[[^]*?(\]\]>|$)/g, /<![A-Za-z][^>]*(>|$)/g, /<!\[\](>)/g];

/** Whether nothing but the marks of quotes and lists stands before a place in its line. */
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

/** Each takes time linear in the text: what repeats is bounded or ends where the same begins again. */
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

/** Cuts between words, if a word ends near the limit. */
function shortened(words: string, more: boolean): string {
  const characters = Array.from(words);
  if (characters.length <= maxCharacters - 2) return more && words !== "" ? `${words} …` : words;
  if (characters.length <= maxCharacters && !more) return words;
  const short = characters.slice(0, maxCharacters - 2).join("");
  return `${short.replace(/\s+\S{0,20}$/, "")} …`;
}

/** A tag, with the quotes in it, to its `>` or to the end of the text; the group is empty where it does not end. */
const tag = /<\/?[A-Za-z](?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^"'>])*(>|$)/g;
const bracket = /\\[^\n]|\n[ \t]*\n|!?\[|\]\(|\]|\)/g;

/** A text that was cut, without the markup that the cut left open: a tag, an image, a link's destination or title. Linear time. */
function withoutOpenEnd(text: string): string {
  const closed = text.replace(tag, (whole, end: string) => (end === ">" ? whole : ""));
  return closed.slice(0, openLink(closed));
}

interface Open {
  at: number;
  kind: "image" | "label" | "destination";
}

/** Where the first image or destination begins that does not end; one pass with a stack. A blank line ends every bracket, as in Markdown. */
function openLink(text: string): number {
  let open: Open[] = [];
  for (const { 0: token, index } of text.matchAll(bracket)) {
    if (token.startsWith("\n")) open = [];
    else open.push(...afterToken(open, token, index));
  }
  return open.find(({ kind }) => kind !== "label")?.at ?? text.length;
}

/** Takes what a token closes from the stack, and answers what it opens. */
function afterToken(open: Open[], token: string, at: number): Open[] {
  if (token.endsWith("[")) return [{ at, kind: token === "[" ? "label" : "image" }];
  const inDestination = open.at(-1)?.kind === "destination";
  if (token === ")" && inDestination) open.pop();
  if (!token.startsWith("]") || inDestination) return [];
  const label = open.pop();
  return label && token === "](" ? [{ at: label.at, kind: "destination" }] : [];
}

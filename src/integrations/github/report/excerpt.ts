import { findMention } from "../mention.ts";
import { stripHidden } from "../markdown/strip.ts";

/** How many characters are searched for the bot's mention, because parsing the Markdown of a long text takes long. */
const maxRead = 8_192;
/** Longer than the excerpt, because markup is removed. */
const maxScanned = 1_000;
const maxCharacters = 80;

/**
 * An excerpt of the request in a text: the text after the bot's mention, or, if there is none, the text before it. One line of at most
 * 80 characters as a reader sees it, without the mention and the markup; empty if nothing is left. The excerpt is still untrusted.
 */
export function excerpt(text: string, mention: string | undefined): string {
  const bot = mention ?? "";
  const afterMention = beginningOf(findMention(text.slice(0, maxRead), bot)?.words ?? "", bot);
  return afterMention === "" ? beginningOf(text, bot) : afterMention;
}

function beginningOf(text: string, bot: string): string {
  const seen = withoutMention(stripHidden(text.slice(0, maxScanned)), bot);
  const [first = "", ...more] = seen
    .split(/\n[ \t]*\n/)
    .map((paragraph) => plain(paragraph))
    .filter((words) => words !== "");
  return shortened(first, more.length > 0 || text.length > maxScanned);
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

const markup: { find: RegExp; write: string }[] = [
  { find: /^[ \t]*(?:`{3,}|~{3,}).*$/gm, write: "" },
  { find: /^[ \t]*(?:(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|\[[ xX]\][ \t])[ \t]*)+/gm, write: "" },
  { find: /!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])/g, write: "" },
  { find: /\[([^\][\n]+)\](?:\([^)\n]*\)|\[[^\]\n]*\])/g, write: "$1" },
  { find: /<(https?:[^>\s]*)>/g, write: "$1" },
  { find: /<\/?[A-Za-z][^>\n]*>/g, write: "" },
  { find: /\*\*|~~|`/g, write: "" },
  { find: /(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?!\w)/g, write: "$1" },
  { find: /(?<!\w)(_{1,2})(?=[^\s_])([^_\n]*[^\s_])\1(?!\w)/g, write: "$2" },
];

/** Cuts between words, if a word ends near the limit. */
function shortened(words: string, more: boolean): string {
  const characters = Array.from(words);
  if (characters.length <= maxCharacters - 2) return more && words !== "" ? `${words} …` : words;
  if (characters.length <= maxCharacters && !more) return words;
  const cut = characters.slice(0, maxCharacters - 2).join("");
  return `${cut.replace(/\s+\S{0,20}$/, "")} …`;
}

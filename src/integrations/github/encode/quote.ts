import { fixedRules, withRules, type Rule } from "../encode.ts";
import { withoutInvisible } from "../markdown/invisible.ts";

const gap = "\u200b";
const maxCharacters = 80;

/**
 * Quotes untrusted text inside a line of ours. A reader sees the text as it is; Markdown, mentions, references, addresses and emoji in it do not act.
 * The text stays on its line and cannot end the quotation. It links only to `url`, if that is a page of the code host. One thing remains: a custom
 * autolink whose prefix and identifier are letters alone (`TICKETabc`) looks like a word, and GitHub links it; the repository's administrators chose where it
 * leads.
 */
export function quoter(host: string): (words: string, url?: string) => string {
  const page = new RegExp(String.raw`^https:\/\/${host.replace(/[^A-Za-z0-9]/g, String.raw`\$&`)}\/[\w\-./%#?=&]*$`);
  return (words, url) => {
    const line = withoutInvisible(words).replace(/\s+/g, " ").trim();
    const safe = withRules(cut(line), [...unquoting, ...fixedRules, ...references, escaping]);
    const quotation = `“${rightToLeft.test(safe) ? `${isolate}${safe}${endIsolate}` : safe}”`;
    return url !== undefined && page.test(url) ? `[${quotation}](${url})` : quotation;
  };
}

/** Replaces characters that would end the quotation, begin code, or hide text (formulas, and many accents on one letter). */
const unquoting: Rule[] = [
  { find: /[“”„‟"`]/g, write: "'" },
  { find: /\$/g, write: "＄" },
  { find: /(\p{M}{3})\p{M}+/gu, write: "$1" },
];

/**
 * Texts that GitHub turns into links and pictures by itself: issues, commits, tickets of other systems, addresses, emoji. A ticket's prefix may be any
 * letters, digits and `.-_+=:/#`: it is broken from what follows where it ends in a mark, or in a letter before a digit. Source: GitHub,
 * "Configuring autolinks to reference external resources".
 */
const references: Rule[] = [
  { find: /([#.\-_+=:/])(?=[A-Za-z0-9])/g, write: `$1${gap}` },
  { find: /([A-Za-z])(?=\d)/g, write: `$1${gap}` },
  { find: /([0-9a-f]{6})(?=[0-9a-f])/gi, write: `$1${gap}` },
  { find: /:(?=\/\/)/g, write: `:${gap}` },
];

/**
 * Keeps words that are written from right to left from rearranging the line around them: those of every script in the ranges that Unicode keeps for
 * such scripts. Source: Unicode, UAX 9, "Isolates", and DerivedBidiClass.txt.
 */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const isolate = "\u2068";
const endIsolate = "\u2069";

/** Source: CommonMark, "Backslash escapes". */
const escaping: Rule = { find: /[\\*_[\]<>&~!|]/g, write: String.raw`\$&` };

function cut(line: string): string {
  const characters = Array.from(line);
  return characters.length <= maxCharacters ? line : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}

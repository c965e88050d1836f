import { fixedRules, withRules, type Rule } from "../encode.ts";
import { withoutInvisible } from "../markdown/invisible.ts";

const gap = "\u200b";
const maxCharacters = 80;

/**
 * Puts untrusted words between quotation marks in a line of ours: as they are read, and nothing in them acts, not even as Markdown. They stay
 * on their line, cannot end the quotation, and lead nowhere but to `url`, where that is a page of the code host.
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

/** What would end the quotation or begin code in its line, and what could hide text: formulas, and towers of accents. */
const unquoting: Rule[] = [
  { find: /[“”„‟"`]/g, write: "'" },
  { find: /\$/g, write: "＄" },
  { find: /(\p{M}{3})\p{M}+/gu, write: "$1" },
];

/** What GitHub turns into links by itself: issues, commits, tickets of other systems, addresses. */
const references: Rule[] = [
  { find: /#(?=[A-Za-z0-9])/g, write: `#${gap}` },
  { find: /([A-Za-z]-)(?=\d)/g, write: `$1${gap}` },
  { find: /([0-9a-f]{6})(?=[0-9a-f])/gi, write: `$1${gap}` },
  { find: /:(?=\/\/)/g, write: `:${gap}` },
];

/** Keeps words that are written from right to left from rearranging the line around them. Source: Unicode, UAX 9, "Isolates". */
const rightToLeft =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;
const isolate = "\u2068";
const endIsolate = "\u2069";

/** Source: CommonMark, "Backslash escapes". */
const escaping: Rule = { find: /[\\*_[\]<>&~!|]/g, write: String.raw`\$&` };

function cut(line: string): string {
  const characters = Array.from(line);
  return characters.length <= maxCharacters ? line : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}

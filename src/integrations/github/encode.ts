import { withoutInvisible } from "../../shared/markdown/invisible.ts";
import { openFence } from "./markdown/open-fence.ts";
import { utf8Prefix } from "../../shared/utf8.ts";

/** Breaks a word for parsers; people do not see it. */
const gap = "\u200b";
const defaultMaxBytes = 60_000;
/** The most characters of a quotation. */
const maxQuoted = 80;
const cutMark = "\n\n… (cut: too long to show here)";

/**
 * Makes untrusted text, for example of a model, harmless in a GitHub comment, title or description; it stays readable as Markdown. The
 * result has no images, no raw HTML, links only to the code host, and nothing that notifies people, closes issues, runs commands or skips
 * checks. An invisible space separates characters that would act together. It is inserted in code as well, because text could fool a
 * parser that has to know where code begins.
 */
export function encoder(host: string): (text: string, options?: { maxBytes?: number }) => string {
  const rules = [...fixedRules, ...hostRules(host)];
  return (text, options = {}) => {
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    const bounded = text.slice(0, maxBytes * 2 + 1024);
    return cut(withRules(withoutInvisible(bounded), rules), maxBytes);
  };
}

/**
 * Quotes untrusted text inside a line of ours. A reader sees the text unchanged; Markdown, mentions, references, addresses and emoji in it
 * have no effect. The text stays on its line and cannot end the quotation. It links only to `url`, if that is a page of the code host. One
 * exception: GitHub links a custom autolink whose prefix and identifier consist of letters (`TICKETabc`), because it looks like a word; the
 * repository's administrators chose its target.
 */
export function quoter(host: string): (words: string, url?: string) => string {
  const page = new RegExp(String.raw`^https:\/\/${host.replace(/[^A-Za-z0-9]/g, String.raw`\$&`)}\/[\w\-./%#?=&]*$`);
  return (words, url) => {
    const line = withoutInvisible(words).replace(/\s+/g, " ").trim();
    const safe = withRules(cutLine(line), [...unquoting, ...fixedRules, ...references, escaping]);
    const quotation = `“${rightToLeft.test(safe) ? `${isolate}${safe}${endIsolate}` : safe}”`;
    return url !== undefined && page.test(url) ? `[${quotation}](${url})` : quotation;
  };
}

/** Replaces matches of `find` with `write`. */
interface Rule {
  find: RegExp;
  write: string;
}

/** Applies the rules to the text, in order. */
function withRules(text: string, rules: readonly Rule[]): string {
  return rules.reduce((out, { find, write }) => out.replace(find, write), text);
}

/** Rules that do not depend on the code host. */
const fixedRules: readonly Rule[] = [
  // The beginning of raw HTML, comments (also our own markers) and `<…>` autolinks.
  { find: /<(?=[A-Za-z/!?])/g, write: `<${gap}` },
  // GitHub decodes entities after our rules ran, so an entity could bring back a removed character.
  { find: /&(?=#?[A-Za-z0-9]{1,40};)/g, write: `&${gap}` },
  { find: /!(?=\[)/g, write: `!${gap}` },
  // Mentions, teams, e-mail links and `owner/name@sha` references.
  { find: /@/g, write: `@${gap}` },
  // Closing keywords act only right before a reference; elsewhere they stay as they are. Source: GitHub, "Linking a pull request to an issue".
  {
    find: /(?<![A-Za-z0-9])(clo|fi|res)(se[sd]?|x(?:e[sd])?|olve[sd]?)(?=[^A-Za-z0-9]*?(?:#?\d|gh-|https?:|[\w.-]{1,100}\/[\w.-]{1,100}#))/gi,
    write: `$1${gap}$2`,
  },
  // A reference to an issue of another repository would appear in that issue.
  { find: /(\/[\w.-]{1,100}#)(?=\d)/g, write: `$1${gap}` },
  // Quick actions: `/approve` at the beginning of a line, also in a list or a quote.
  { find: /^((?:[^\S\n]|[>*+\-#]|\d+[.)])*\/)(?=[A-Za-z])/gm, write: `$1${gap}` },
  // Keywords that act in a commit message. A squash merge copies this text into one.
  { find: /\[(?=(?:skip|no|ci|actions)[ -](?:ci|skip|actions)\])/gi, write: `[${gap}` },
  { find: /(skip-checks|[a-z]-by)(?=\s{0,10}:)/gi, write: `$1${gap}` },
  // GitHub marks the issue of such a comment as a duplicate.
  { find: /(duplicate)(?=\s{1,10}of)/gi, write: `$1${gap}` },
  { find: /NO_CI/g, write: `NO${gap}_CI` },
  // Fences that render something other than code, and formulas that contain links or images.
  { find: /([`~]{3}[ \t]{0,20})(?=mermaid|geojson|topojson|stl|math|suggestion)/gi, write: `$1${gap}` },
  { find: /\\(?=href|url|includegraphics)/gi, write: `\\${gap}` },
  { find: /www(?=\.)/gi, write: `www${gap}` },
];

/** Links and plain addresses stay links only if they point to the code host, by https and with a simple path. */
function hostRules(host: string): Rule[] {
  const name = host.replace(/[^A-Za-z0-9]/g, String.raw`\$&`);
  const address = String.raw`https:\/\/${name}\/[\w\-./%#?=&]*`;
  return [
    { find: new RegExp(String.raw`\](?=[([:])(?!\(${address}\))`, "g"), write: `]${gap}` },
    {
      find: new RegExp(String.raw`:(?=\/\/)(?<!(?<![A-Za-z0-9])https:(?=\/\/${name}(?:\/|[\s)])))`, "g"),
      write: `:${gap}`,
    },
  ];
}

/** Cuts to at most `maxBytes` of UTF-8 between characters. Closes an open code fence, so that our text after it is not code. */
function cut(text: string, maxBytes: number): string {
  const closed = text + closingFence(text);
  if (Buffer.byteLength(closed) <= maxBytes) return closed;
  const mark = Buffer.byteLength(cutMark) + 16 <= maxBytes ? cutMark : "";
  const reserve = Buffer.byteLength(mark) + (mark ? 12 : 0);
  const short = utf8Prefix(text, maxBytes - reserve);
  const fence = closingFence(short);
  return Buffer.byteLength(short + fence + mark) <= maxBytes ? short + fence + mark : utf8Prefix(text, maxBytes);
}

/** The text that closes a code fence which is still open at the end of `text`; empty if there is none. */
function closingFence(text: string): string {
  const open = openFence(text);
  return open ? `\n${open}` : "";
}

/** Replaces characters that would end the quotation, begin code, or hide text (formulas, and many accents on one letter). */
const unquoting: Rule[] = [
  { find: /[“”„‟"`]/g, write: "'" },
  { find: /\$/g, write: "＄" },
  { find: /(\p{M}{3})\p{M}+/gu, write: "$1" },
];

/**
 * Rules against texts that GitHub itself turns into links and pictures: issues, commits, tickets of other systems, addresses, emoji. The
 * prefix of a ticket may contain letters, digits and `.-_+=:/#`. An invisible space separates prefix and identifier: after a punctuation
 * mark, or between a letter and a digit. Source: GitHub, "Configuring autolinks to reference external resources".
 */
const references: Rule[] = [
  { find: /([#.\-_+=:/])(?=[A-Za-z0-9])/g, write: `$1${gap}` },
  { find: /([A-Za-z])(?=\d)/g, write: `$1${gap}` },
  { find: /([0-9a-f]{6})(?=[0-9a-f])/gi, write: `$1${gap}` },
  { find: /:(?=\/\/)/g, write: `:${gap}` },
];

/**
 * Characters of right-to-left scripts: the ranges that Unicode reserves for them. Text with such characters is isolated, so that it does
 * not rearrange the line around it. Source: Unicode, UAX 9, "Isolates", and DerivedBidiClass.txt.
 */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const isolate = "\u2068";
const endIsolate = "\u2069";

/** Source: CommonMark, "Backslash escapes". */
const escaping: Rule = { find: /[\\*_[\]<>&~!|]/g, write: String.raw`\$&` };

function cutLine(line: string): string {
  const characters = Array.from(line);
  return characters.length <= maxQuoted ? line : `${characters.slice(0, maxQuoted - 1).join("")}…`;
}

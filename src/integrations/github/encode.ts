import { withoutInvisible } from "./markdown/invisible.ts";
import { openFence } from "./markdown/open-fence.ts";
import { utf8Prefix } from "../../shared/utf8.ts";

/** Breaks a word for machines and not for eyes. */
const gap = "\u200b";
const defaultMaxBytes = 60_000;
const cutMark = "\n\n… (cut: too long to show here)";

/**
 * Makes text that a model (or anybody) wrote harmless in a GitHub comment, title or description, still readable as Markdown: no images, no
 * raw HTML, links only to the code host, and nothing that signals, closes, commands or skips anything. An invisible space is put where two
 * characters would act together. It goes in code as well: a parser that knew where code begins would be one more thing to fool.
 */
export function encoder(host: string): (text: string, options?: { maxBytes?: number }) => string {
  const rules = [...fixedRules, ...hostRules(host)];
  return (text, options = {}) => {
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    const bounded = text.slice(0, maxBytes * 2 + 1024);
    return cut(withRules(withoutInvisible(bounded), rules), maxBytes);
  };
}

/** What is written in the place of what. */
export interface Rule {
  find: RegExp;
  write: string;
}

/** Text after each rule, in order. */
export function withRules(text: string, rules: readonly Rule[]): string {
  return rules.reduce((out, { find, write }) => out.replace(find, write), text);
}

/** What holds at every code host. */
export const fixedRules: readonly Rule[] = [
  // Raw HTML, comments (our own markers too) and `<…>` autolinks all begin so.
  { find: /<(?=[A-Za-z/!?])/g, write: `<${gap}` },
  // An entity would bring back after parsing what is taken out before it.
  { find: /&(?=#?[A-Za-z0-9]{1,40};)/g, write: `&${gap}` },
  { find: /!(?=\[)/g, write: `!${gap}` },
  // Mentions, teams, e-mail links and `owner/name@sha` references.
  { find: /@/g, write: `@${gap}` },
  // Closing words only act right before a reference; elsewhere they stay whole. Source: GitHub, "Linking a pull request to an issue".
  {
    find: /(?<![A-Za-z0-9])(clo|fi|res)(se[sd]?|x(?:e[sd])?|olve[sd]?)(?=[^A-Za-z0-9]*?(?:#?\d|gh-|https?:|[\w.-]{1,100}\/[\w.-]{1,100}#))/gi,
    write: `$1${gap}$2`,
  },
  // References into other repositories would leave a trace there.
  { find: /(\/[\w.-]{1,100}#)(?=\d)/g, write: `$1${gap}` },
  // Quick actions: `/approve` at the beginning of a line, in a list or a quote too.
  { find: /^((?:[^\S\n]|[>*+\-#]|\d+[.)])*\/)(?=[A-Za-z])/gm, write: `$1${gap}` },
  // Words that act in a commit message, where a squash merge would put this text.
  { find: /\[(?=(?:skip|no|ci|actions)[ -](?:ci|skip|actions)\])/gi, write: `[${gap}` },
  { find: /(skip-checks|[a-z]-by)(?=\s{0,10}:)/gi, write: `$1${gap}` },
  // GitHub marks what such a comment stands under as a duplicate.
  { find: /(duplicate)(?=\s{1,10}of)/gi, write: `$1${gap}` },
  { find: /NO_CI/g, write: `NO${gap}_CI` },
  // Fences that render something other than code, and formulas that link.
  { find: /([`~]{3}[ \t]{0,20})(?=mermaid|geojson|topojson|stl|math|suggestion)/gi, write: `$1${gap}` },
  { find: /\\(?=href|url|includegraphics)/gi, write: `\\${gap}` },
  { find: /www(?=\.)/gi, write: `www${gap}` },
];

/** Link syntax and bare addresses stay alive only where they lead to the code host, by https, to a plain path. */
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

/** At most `maxBytes` of UTF-8, never half a character, with an open code fence closed so that what follows stays ours. */
function cut(text: string, maxBytes: number): string {
  const closed = text + closingFence(text);
  if (Buffer.byteLength(closed) <= maxBytes) return closed;
  const mark = Buffer.byteLength(cutMark) + 16 <= maxBytes ? cutMark : "";
  const reserve = Buffer.byteLength(mark) + (mark ? 12 : 0);
  const short = utf8Prefix(text, maxBytes - reserve);
  const fence = closingFence(short);
  return Buffer.byteLength(short + fence + mark) <= maxBytes ? short + fence + mark : utf8Prefix(text, maxBytes);
}

/** What ends a code fence that is still open at the end, or nothing. */
function closingFence(text: string): string {
  const open = openFence(text);
  return open ? `\n${open}` : "";
}

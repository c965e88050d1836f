import { visibleBlocks } from "./markdown/blocks.ts";
import { definitionsIn } from "./markdown/links.ts";
import { plainSpans } from "./markdown/inline.ts";
import type { Span } from "./markdown/links.ts";

/** A mention that calls the bot. */
export interface Mention {
  /** The text after the mention, to the end; a leading `:` or `,` is left out. The text before it on its line if nothing follows. */
  words: string;
}

/**
 * Finds the first `@name` that calls the bot, ignoring case. These do not call it: a longer name (`@name-x`), an address
 * (`a@name.com`), `@@name`, a team (`@name/x`), and any mention inside a quote, code, a link, hidden text or the tail
 * of an e-mail reply. Takes time linear in the length of the text.
 */
export function findMention(text: string, name: string): Mention | undefined {
  if (name === "" || !text.toLowerCase().includes(`@${name.toLowerCase()}`)) return undefined;
  const pattern = mentionPattern(name);
  const blocks = visibleBlocks(text);
  const defined = new Set(blocks.flatMap((block) => definitionsIn(block.text).labels));
  let pending: string | undefined;
  for (const block of blocks) {
    const { spans, unclosed } = plainSpans(block.text, defined, pending);
    pending = unclosed;
    const end = endOfFirstCall(block.text, spans, pattern);
    if (end !== undefined) return { words: wordsAround(text, block.toSource(end)) };
  }
  return undefined;
}

/** Mentions and spans are both in order, so one pass over both finds the first mention inside a span. */
function endOfFirstCall(text: string, spans: readonly Span[], pattern: RegExp): number | undefined {
  let next = 0;
  for (const { index, 0: call } of text.matchAll(pattern)) {
    while ((spans[next]?.end ?? Number.POSITIVE_INFINITY) <= index) next += 1;
    const span = spans[next];
    if (!span) return undefined;
    if (span.start <= index && index + call.length <= span.end) return index + call.length;
  }
  return undefined;
}

/**
 * Matches `@name` only if the characters next to it do not make it something else. Logins are ASCII, so a letter of another script after the
 * name begins a word: Chinese and Japanese have no spaces between words. Before the `@`, a Latin letter makes it an address (`josé@name`).
 */
function mentionPattern(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const before = String.raw`(?<![\p{Script=Latin}\p{N}_@/=\\])`;
  const behind = String.raw`(?![A-Za-z0-9_@-]|[./][A-Za-z0-9_])`;
  return new RegExp(`${before}@${escaped}(?:\\[bot\\])?${behind}`, "giu");
}

/** The text after a mention that ends at `end`; if that has no letters, the text before it on its line: people also write "stop, @name". */
function wordsAround(text: string, end: number): string {
  const after = text
    .slice(end)
    .replace(/^[:,\uff1a\uff0c\u3001]/, "")
    .trim();
  if (/[\p{L}\p{N}]/u.test(after)) return after;
  const before = text.slice(Math.max(text.lastIndexOf("\n", end - 1), text.lastIndexOf("\r", end - 1)) + 1, end);
  return before.slice(0, before.lastIndexOf("@")).trim();
}

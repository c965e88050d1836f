import { withoutInvisible } from "../../../shared/markdown/invisible.ts";

/**
 * A text for an element of rich text, which Slack shows as it is: no mention, link, emoji or format in it acts. Characters that hide or
 * rearrange text are taken out. Source: Slack, "Rich text block".
 */
export function inert(text: string): string {
  return withoutInvisible(text).replace(stackedAccents, "$1");
}

/** The same as one line, which cannot rearrange the line around it. */
export function inertLine(text: string): string {
  const line = inert(text).replace(/\s+/g, " ").trim();
  return rightToLeft.test(line) ? `${isolate}${line}${endIsolate}` : line;
}

/** The beginning of a text within `maxCharacters`, with a mark if more follows. */
export function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, Math.max(0, maxCharacters - 1)).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Many accents on one letter cover the lines above and below. */
const stackedAccents = /(\p{M}{3})\p{M}+/gu;

/**
 * Scripts that are written from right to left. Source: Unicode, UAX 9, "Isolates", and DerivedBidiClass.txt.
 */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const isolate = "\u2068";
const endIsolate = "\u2069";

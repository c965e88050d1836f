import { definitionsIn, links, type Span } from "./links.ts";

/** HTML elements whose content is code, a quotation, a link or not shown. */
const mutedTags = new Set(["a", "blockquote", "code", "kbd", "pre", "samp", "script", "style", "tt"]);
const stepsPerCharacter = 8;
const tagAt = /<(\/?)([a-z][a-z0-9-]*)(?=[\s/>])/iy;

/** The ranges of a paragraph that are ordinary text, and the comment or element that it opens and does not close. */
export interface PlainText {
  spans: Span[];
  /** The text that closes it; pass it on to the next paragraph. */
  unclosed: string | undefined;
}

/**
 * The ranges of a paragraph that are ordinary text, without code spans, links, HTML tags, HTML comments, and the content
 * of elements for code or quotations. `pending` closes the construct that earlier paragraphs left open; `defined` has
 * the labels of all links that the text defines. Linear time: no text is searched twice.
 */
export function plainSpans(text: string, defined: ReadonlySet<string>, pending?: string): PlainText {
  const scan = new Scan(text);
  if (pending === undefined) scan.skipTo(definitionsIn(text).end);
  else scan.skipPast(pending, 0);
  while (scan.at < text.length) scan.step();
  return { spans: spansBetween(text, [...scan.muted, ...links(text, scan.muted, defined)]), unclosed: scan.unclosed };
}

/** One pass over a paragraph, from left to right: escapes, code spans, comments, tags. */
class Scan {
  at = 0;
  unclosed: string | undefined;
  readonly muted: Span[] = [];
  readonly #text: string;
  readonly #backticks: Map<number, number[]>;
  readonly #nextIndex = new Map<string, number>();
  /** How many characters of tags may still be read. Only hostile text uses them up. */
  #steps: number;

  constructor(text: string) {
    this.#text = text;
    this.#steps = text.length * stepsPerCharacter + 1_024;
    this.#backticks = backtickRuns(text);
  }

  step(): void {
    const char = this.#text[this.at];
    if (char === "\\") this.#escape();
    else if (char === "`") this.#code();
    else if (char === "<") this.#markup();
    else this.at += 1;
  }

  /** Excludes the text from here past the next `closer`, or to the end if there is none. */
  skipPast(closer: string, from: number): void {
    const found = this.#find(closer, from);
    if (found === undefined) this.unclosed = closer;
    this.#mute(this.at, found === undefined ? this.#text.length : found + closer.length);
  }

  /** Excludes the text from here to `end`. */
  skipTo(end: number): void {
    if (end > this.at) this.#mute(this.at, end);
  }

  /** An escaped character is literal: it opens nothing and begins no mention. */
  #escape(): void {
    this.at += /[!-/:-@[-`{-~]/.test(this.#text[this.at + 1] ?? "") ? 2 : 1;
  }

  #code(): void {
    const start = this.at;
    let end = start;
    while (this.#text[end] === "`") end += 1;
    const closing = this.#closingRun(end - start, end);
    this.at = end;
    if (closing !== undefined) this.#mute(start, closing + (end - start));
  }

  /** The next run of the same number of backticks. Earlier runs are dropped, so that each run is visited once. */
  #closingRun(length: number, from: number): number | undefined {
    const runs = this.#backticks.get(length) ?? [];
    while (runs.length > 0 && (runs.at(-1) ?? 0) < from) runs.pop();
    return runs.at(-1);
  }

  #markup(): void {
    if (this.#text.startsWith("<!--", this.at)) return this.skipPast("-->", this.at + 4);
    if (this.#text.startsWith("<?", this.at)) return this.skipTo((this.#find("?>", this.at + 2) ?? this.at - 1) + 2);
    tagAt.lastIndex = this.at;
    const tag = tagAt.exec(this.#text);
    const end = tag ? this.#tagEnd(this.at + tag[0].length) : this.#find(">", this.at);
    if (end === undefined) this.at += 1;
    else if (tag) this.#tag(tag, end + 1);
    else if (/^<[a-z][a-z0-9+.-]{1,31}:/i.test(this.#text.slice(this.at, this.at + 34))) this.#mute(this.at, end + 1);
    else this.at += 1;
  }

  /** Index of the `>` that ends a tag, outside attribute values. After too many unclosed values, the rest of the text is excluded. */
  #tagEnd(from: number): number | undefined {
    let quote = "";
    for (let at = from; at < this.#text.length; at++) {
      if (--this.#steps < 0) return this.#text.length - 1;
      const char = this.#text[at] ?? "";
      if (quote) quote = char === quote ? "" : quote;
      else if (char === ">") return at;
      else if ((char === '"' || char === "'") && /=\s{0,8}$/.test(this.#text.slice(at - 9, at))) quote = char;
    }
    return undefined;
  }

  #tag([, slash, name = ""]: RegExpExecArray, end: number): void {
    const lower = name.toLowerCase();
    if (slash === "" && mutedTags.has(lower)) this.skipPast(`</${lower}`, end);
    else this.#mute(this.at, end);
  }

  /** `indexOf` that caches its last result, so that all searches together read the text once per needle. */
  #find(needle: string, from: number): number | undefined {
    const known = this.#nextIndex.get(needle);
    if (known !== undefined && known >= from) return Number.isFinite(known) ? known : undefined;
    const found = indexOfIgnoringCase(this.#text, needle, from);
    this.#nextIndex.set(needle, found < 0 ? Number.POSITIVE_INFINITY : found);
    return found < 0 ? undefined : found;
  }

  #mute(start: number, end: number): void {
    this.muted.push({ start, end });
    this.at = end;
  }
}

/** Indexes of all runs of backticks, by length, last first. A backslash inside code does not escape a backtick. */
function backtickRuns(text: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const { index, 0: run } of text.matchAll(/`+/g)) {
    const same = runs.get(run.length) ?? [];
    same.push(index);
    runs.set(run.length, same);
  }
  for (const same of runs.values()) same.reverse();
  return runs;
}

function indexOfIgnoringCase(text: string, needle: string, from: number): number {
  if (!/[a-z]/i.test(needle)) return text.indexOf(needle, from);
  const pattern = new RegExp(String.raw`${needle}\b`, "gi");
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}

function spansBetween(text: string, muted: Span[]): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const { start, end } of muted.sort((a, b) => a.start - b.start)) {
    if (start > at) spans.push({ start: at, end: start });
    at = Math.max(at, end);
  }
  if (at < text.length) spans.push({ start: at, end: text.length });
  return spans;
}

import { matchesGlob } from "node:path";

/** A rule that forbids a word or phrase. It has `words`, `text` or both. */
export interface Rule {
  name: string;
  /** Lower case. Found as whole words and as parts of identifiers: `word`, `aWord`, `word_of`, `A_WORD`. */
  words?: readonly string[];
  /** As `words`, for phrases. A space stands for any gap: a line break in a comment or a joined string too. */
  text?: RegExp;
  /** Correct uses: a finding inside a match of this does not count. */
  fine?: RegExp;
  /** The replacement, quoted. */
  write: string;
  /** The reason, in a few words: it is printed in brackets. */
  why: string;
}

/** Findings that stay: those inside a match of `text` in a file of this path. */
export interface Exception {
  /** A glob, from the root of the repository. */
  path: string;
  text: RegExp;
  reason: string;
}

/** A file to search; its path, from the root of the repository, is searched as well. */
export interface Source {
  path: string;
  text: string;
}

/** A rule's match. Line and column count from 1. */
export interface Finding {
  rule: Rule;
  path: string;
  line: number;
  column: number;
  found: string;
  /** The whole line, trimmed; the path where the file's name is the finding. */
  context: string;
}

/** The findings in order, without those that an exception covers, and the exceptions that cover none. */
export interface Search {
  findings: Finding[];
  excepted: number;
  stale: Exception[];
}

/** Searches the sources. A `stale` exception says something only if every source was given. */
export function findWords(
  sources: readonly Source[],
  rules: readonly Rule[],
  exceptions: readonly Exception[],
): Search {
  const compiled = rules.map(compile);
  const used = new Set<Exception>();
  let excepted = 0;
  const findings = sources.flatMap(({ path, text }) => {
    const here = exceptions.filter((exception) => matchesGlob(path, exception.path));
    return [path, text].flatMap((part) => {
      const covers = here.map((exception) => ({ exception, spans: spansOf(loose(exception.text), part) }));
      const hits = compiled.flatMap(({ rule, patterns, fine }) =>
        hitsOf(part, patterns, fine).map((hit) => ({ rule, hit })),
      );
      const kept = hits.filter(({ hit }) => {
        const by = covers.filter(({ spans }) => isWithin(hit, spans));
        for (const { exception } of by) used.add(exception);
        return by.length === 0;
      });
      excepted += hits.length - kept.length;
      return kept.map(({ rule, hit }) => findingAt(rule, hit, path, part)).sort(byPlace);
    });
  });
  return { findings, excepted, stale: exceptions.filter((exception) => !used.has(exception)) };
}

/** A rule, ready to search with. */
interface Compiled {
  rule: Rule;
  patterns: RegExp[];
  fine: RegExp | undefined;
}

/** A part of a text, from `start` to before `end`. */
interface Span {
  start: number;
  end: number;
}

/** Between two words of a phrase: spaces, or a line break with the marks of a comment or of joined strings around it. */
const gap = String.raw`(?:[ \t]*["'\`]?[ \t]*(?:\+[ \t]*)?\r?\n[ \t]*(?:\+[ \t]*)?(?:\*(?!\/)|\/\/+|#+|>|["'\`])?[ \t]*|[ \t]+)`;

function compile(rule: Rule): Compiled {
  const patterns = [
    ...(rule.words === undefined ? [] : [wordPattern(rule.words)]),
    ...(rule.text === undefined ? [] : [loose(rule.text)]),
  ];
  return { rule, patterns, fine: rule.fine && loose(rule.fine) };
}

/** On its own or in snake_case (`word`, `Word`, `WORD`), or as a part in camelCase (`aWord`, `wordOf`). */
function wordPattern(words: readonly string[]): RegExp {
  const capitals = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("|");
  const upper = words.map((word) => word.toUpperCase()).join("|");
  return new RegExp(
    `(?<![A-Za-z])(?:${words.join("|")})(?![a-z])|(?<![A-Z])(?:${capitals})(?![a-z])|(?<![A-Za-z])(?:${upper})(?![A-Za-z])`,
    "g",
  );
}

/** The pattern with its spaces as gaps, except in character classes. */
function loose(pattern: RegExp): RegExp {
  const source = pattern.source.replaceAll(/\[(?:\\.|[^\]\\])*\]|\\.| /g, (part) => (part === " " ? gap : part));
  return new RegExp(source, `${pattern.flags.replaceAll(/[gm]/g, "")}gm`);
}

function spansOf(pattern: RegExp, text: string): Span[] {
  return Array.from(text.matchAll(pattern), ({ index, 0: found }) => ({ start: index, end: index + found.length }));
}

function hitsOf(text: string, patterns: readonly RegExp[], fine: RegExp | undefined): Span[] {
  const hits = patterns.flatMap((pattern) => spansOf(pattern, text));
  if (hits.length === 0 || !fine) return hits;
  const right = spansOf(fine, text);
  return hits.filter((hit) => !isWithin(hit, right));
}

function isWithin(hit: Span, spans: readonly Span[]): boolean {
  return spans.some(({ start, end }) => start <= hit.start && hit.end <= end);
}

function findingAt(rule: Rule, { start, end }: Span, path: string, text: string): Finding {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = text.indexOf("\n", start);
  return {
    rule,
    path,
    line: text.slice(0, lineStart).split("\n").length,
    column: text === path ? 1 : start - lineStart + 1,
    found: text.slice(start, end).replaceAll(new RegExp(gap, "g"), " "),
    context: text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd).trim(),
  };
}

function byPlace(a: Finding, b: Finding): number {
  return a.line - b.line || a.column - b.column;
}

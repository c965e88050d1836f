const maxLabel = 999;
const maxTarget = 2_048;
const label = String.raw`\[((?:[^\[\]\\]|\\[^]){1,${maxLabel}})\]:`;
const target = String.raw`(?:<(?:[^<>\n\\]|\\.)*>|(?!<)\S+)`;
const quoted = String.raw`(?:"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\((?:[^()\\]|\\[^])*\))`;
const lineEnd = String.raw`[ \t]*(?:\n|$)`;
const definition = new RegExp(
  String.raw`[ \t]*${label}[ \t]*\n?[ \t]*${target}(?:(?:[ \t]+|[ \t]*\n[ \t]*)${quoted}${lineEnd}|${lineEnd})`,
  "y",
);

/** A range of a text; `end` is exclusive. */
export interface Span {
  start: number;
  end: number;
}

/** Link definitions at the beginning of a paragraph, which readers do not see. `end` is where the visible text begins. */
export function definitionsIn(text: string): { end: number; labels: string[] } {
  const labels: string[] = [];
  let end = 0;
  for (let found = matchAt(definition, text, 0); found; found = matchAt(definition, text, end)) {
    labels.push(labelKey(found[1] ?? ""));
    end = definition.lastIndex;
  }
  return { end, labels };
}

/** The ranges of all links: `[text](target "title")`, `[text][name]`, and `[name]` if it is defined. Brackets in code do not count. */
export function links(text: string, muted: readonly Span[], defined: ReadonlySet<string>): Span[] {
  const found: Span[] = [];
  const brackets: Brackets = { open: [], last: -1 };
  let nextMuted = 0;
  for (let at = 0; at < text.length; at++) {
    while ((muted[nextMuted]?.end ?? Infinity) <= at) nextMuted += 1;
    const skip = muted[nextMuted];
    if (skip && skip.start <= at) {
      at = skip.end - 1;
      continue;
    }
    const link = linkAt(text, at, brackets, defined);
    if (link) found.push(link);
    at = link ? link.end - 1 : at + Number(text[at] === "\\");
  }
  return found;
}

/** The link whose text ends at `at`; records brackets. */
function linkAt(text: string, at: number, brackets: Brackets, defined: ReadonlySet<string>): Span | undefined {
  if (text[at] === "[") brackets.open.push((brackets.last = at));
  return text[at] === "]" ? closeBracket(text, at, brackets, defined) : undefined;
}

/** The indexes of the open brackets, and of the last bracket. The last bracket is needed because a label contains no brackets. */
interface Brackets {
  open: number[];
  last: number;
}

function closeBracket(text: string, at: number, brackets: Brackets, defined: ReadonlySet<string>): Span | undefined {
  const start = brackets.open.pop();
  const isInnermost = start !== undefined && start === brackets.last;
  brackets.last = at;
  if (start === undefined) return undefined;
  const end =
    endOfTarget(text, at + 1) ?? (isInnermost && isDefined(text.slice(start + 1, at), defined) ? at + 1 : undefined);
  return end === undefined ? undefined : { start, end };
}

function isDefined(name: string, defined: ReadonlySet<string>): boolean {
  return name.length <= maxLabel && defined.size > 0 && defined.has(labelKey(name));
}

function labelKey(name: string): string {
  return name.trim().replace(/\s+/g, " ").toLowerCase();
}

/** Link targets are short. The limit keeps the time linear for a text that repeats `[](`. */
function endOfTarget(text: string, at: number): number | undefined {
  const closer = { "(": ")", "[": "]" }[text[at] ?? ""];
  if (closer === undefined) return undefined;
  const within = text.slice(at, at + maxTarget);
  const end = (closer === ")" ? endOfDestination(within) : undefined) ?? within.indexOf(closer, 1) + 1;
  return end === 0 ? undefined : at + end;
}

const destination = /\(\s*(?:<(?:[^<>\n\\]|\\.)*>|(?!<)(?:[^\s()\\]|\\[^]|\((?:[^\s()\\]|\\[^])*\))*)/y;
const closing = /\s*\)/y;
const opening = /\s+(["'(])/y;

/** Index after `(target)` or `(target "title")`. A closing bracket inside a title does not end the link. */
function endOfDestination(text: string): number | undefined {
  if (!matchAt(destination, text, 0)) return undefined;
  const behind = destination.lastIndex;
  if (matchAt(closing, text, behind)) return closing.lastIndex;
  const quote = matchAt(opening, text, behind)?.[1];
  const end = quote === undefined ? undefined : endOfTitle(text, quote === "(" ? ")" : quote, opening.lastIndex);
  return end !== undefined && matchAt(closing, text, end) ? closing.lastIndex : undefined;
}

function endOfTitle(text: string, quote: string, from: number): number | undefined {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    if (text[at - 1] !== "\\") return at + 1;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

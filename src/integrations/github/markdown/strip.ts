import { withoutInvisible, withoutInvisibleEntities } from "../../../shared/markdown/invisible.ts";

/** Work allowed per character of input for tags that never end. Only hostile text needs more. */
const scansPerCharacter = 8;
const leftOut = "\n[the rest is left out because its markup is broken]";

/**
 * Removes from GitHub Markdown everything that a reader of the page does not see, so that nobody can give the agent hidden instructions:
 * HTML comments, invisible characters (also as entities), alternative texts of images, link titles, reference definitions, and attributes
 * of tags other than `href` and `src`. Code blocks are treated in the same way, because an attacker could use a fence that our parser and
 * GitHub's parser read differently. Linear time.
 */
export function stripHidden(text: string): string {
  const seen = withoutInvisible(withoutInvisibleEntities(withoutInvisible(text)));
  return withoutDefinitions(scan(seen));
}

/** One pass over the text. Each step returns the text to write and the index to continue from. */
function scan(text: string): string {
  const known: Known = { close: matchingBrackets(text), absent: new Set() };
  const budget = { left: text.length * scansPerCharacter + 1024 };
  let out = "";
  let at = 0;
  for (let next = nextSpecial(text, at); next < text.length; next = nextSpecial(text, at)) {
    out += text.slice(at, next);
    const step = stepAt(text, next, known, budget);
    if (budget.left <= 0) return out + leftOut;
    out += step.write;
    at = step.to;
  }
  return out + text.slice(at);
}

/** Facts about the whole text, so that no step has to search it again. */
interface Known {
  /** For each `[`, the index of the `]` that closes it. */
  close: Map<number, number>;
  /** Closing quotes of titles that do not occur in the rest of the text. */
  absent: Set<string>;
}

function stepAt(text: string, at: number, known: Known, budget: { left: number }): Step {
  const hidden = comment(text, at) ?? image(text, at, known) ?? title(text, at, known) ?? tag(text, at, budget);
  return hidden ?? { write: text.slice(at, at + 1), to: at + 1 };
}

interface Step {
  write: string;
  to: number;
}

const special = /[<!\]]/g;

function nextSpecial(text: string, from: number): number {
  special.lastIndex = from;
  return special.exec(text)?.index ?? text.length;
}

/** An unclosed comment hides the rest of the text. A space replaces a comment, so that the text before and after it does not join. */
function comment(text: string, at: number): Step | undefined {
  if (!text.startsWith("<!--", at)) return undefined;
  const end = text.indexOf("-->", at + 4);
  return { write: " ", to: end < 0 ? text.length : end + 3 };
}

function image(text: string, at: number, { close }: Known): Step | undefined {
  if (!text.startsWith("![", at)) return undefined;
  const end = close.get(at + 1);
  return end === undefined ? undefined : { write: "![", to: end };
}

const destinationAndTitle = /\]\(\s{0,20}(?:<[^<>\n]{0,2048}>|[^\s"'()]{0,2048})\s{1,20}(?=["'(])/y;

/** Removes the title of `](url "title")`. If the title never ends, it is not a link and stays visible. */
function title(text: string, at: number, { absent }: Known): Step | undefined {
  destinationAndTitle.lastIndex = at;
  const found = destinationAndTitle.exec(text);
  if (!found) return undefined;
  const start = destinationAndTitle.lastIndex;
  const quote = text[start] === "(" ? ")" : (text[start] ?? "");
  const end = absent.has(quote) ? -1 : text.indexOf(quote, start + 1);
  if (end < 0) absent.add(quote);
  return end < 0 ? undefined : { write: found[0].trimEnd(), to: end + 1 };
}

const tagStart = /<[A-Za-z][A-Za-z0-9-]{0,30}(?=[\s/>])/y;
const keptAttribute = /\s(href|src)\s{0,4}=\s{0,4}("[^"<>]{0,2048}"|'[^'<>]{0,2048}'|[^\s"'<>`=]{1,2048})/gi;

function tag(text: string, at: number, budget: { left: number }): Step | undefined {
  tagStart.lastIndex = at;
  const start = tagStart.exec(text);
  if (!start) return undefined;
  const end = tagEnd(text, at + start[0].length, budget);
  if (end === undefined) return undefined;
  const kept = [...text.slice(at + start[0].length, end).matchAll(keptAttribute)];
  return { write: `${start[0]}${kept.map(([, name, value]) => ` ${name}=${value}`).join("")}>`, to: end + 1 };
}

/** Index of the `>` that ends the tag, outside quotes. */
function tagEnd(text: string, from: number, budget: { left: number }): number | undefined {
  let quote = "";
  for (let at = from; at < text.length; at++) {
    budget.left -= 1;
    if (budget.left <= 0) return undefined;
    const character = text[at] ?? "";
    if (quote) quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ">") return at;
  }
  return undefined;
}

/** For each `[`, the index of the `]` that closes it; one pass with a stack. A blank line closes all brackets, as in Markdown. */
function matchingBrackets(text: string): Map<number, number> {
  const close = new Map<number, number>();
  let open: number[] = [];
  for (const { 0: token, index } of text.matchAll(/\\[^\n]|\n[ \t]*\n|[[\]]/g)) {
    if (token === "[") open.push(index);
    else if (token.startsWith("\n")) open = [];
    else if (token === "]") {
      const start = open.pop();
      if (start !== undefined) close.set(start, index);
    }
  }
  return close;
}

const definition = /^ {0,3}(?:> ?)*(\[[^\]]{1,999}\]):.*$/gm;
const footnote = /\[\^[^\][]{1,100}\]/g;

/** Removes reference definitions (`[label]: url "title"`), which GitHub does not show. Keeps footnotes that the text refers to. */
function withoutDefinitions(text: string): string {
  const named = new Map<string, number>();
  for (const [name] of text.matchAll(footnote)) named.set(name, (named.get(name) ?? 0) + 1);
  // The definition itself counts once.
  return text.replace(definition, (line: string, label: string) => ((named.get(label) ?? 0) > 1 ? line : ""));
}

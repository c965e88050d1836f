import { outline, plainBlocks } from "../../../shared/markdown/outline.ts";
import type { Line, Report, Span } from "../../report.ts";
import { inert, inertLine, shortened } from "./inert.ts";
import type { TextElement } from "./rich-text.ts";

/** The most characters of a quotation, of an untrusted text that is an item of a list, and of any other in a line. */
const maxQuoted = 80;
const maxInItem = 600;
const maxInLine = 2_000;
const maxUrl = 3_000;
/** Slack refuses elements with other ids. */
const userId = /^[UW][A-Z0-9]{1,31}$/;

/** The elements of a line. */
export function lineElements(line: Line, report: Pick<Report, "bot">): TextElement[] {
  return line
    .flatMap((span) => elementsOf(span, report))
    .filter(({ type, ...rest }) => type !== "text" || hasText(rest));
}

function hasText(element: object): boolean {
  return "text" in element && element.text !== "";
}

/** Bellhop's own words of a line, as text: other text is left out, because notifications show text with its markup. */
export function plainLine(line: Line, report: Pick<Report, "bot">): string {
  return lineElements(line.filter(isOwn), report)
    .map((element) => (element.type === "user" ? "" : element.text))
    .join("")
    .replace(/\s+/g, " ");
}

/** Names of branches and checks are code too, and people chose them. */
function isOwn(span: Span): boolean {
  if (typeof span === "string") return true;
  if ("code" in span) return /^[\w./ -]+$/.test(span.code);
  if ("command" in span) return /^[\w./ …-]+$/.test(span.command);
  return "strong" in span || "change" in span;
}

function elementsOf(span: Span, { bot }: Pick<Report, "bot">): TextElement[] {
  if (typeof span === "string") return [{ type: "text", text: span }];
  if ("strong" in span) return [{ type: "text", text: span.strong, style: { bold: true } }];
  if ("code" in span) return [code(span.code)];
  if ("untrusted" in span) return [{ type: "text", text: untrusted(span) }];
  if ("quote" in span) return [linked(`“${shortened(inertLine(span.quote.slice(0, 4_096)), maxQuoted)}”`, span.url)];
  if ("command" in span) return [code(`@${bot?.mention ?? "bot"} ${span.command}`)];
  return ["person" in span ? person(span) : change(span)];
}

function code(text: string): TextElement {
  return { type: "text", text: inertLine(text), style: { code: true } };
}

/** In a line, untrusted Markdown is shown as its plain text. */
function untrusted({ untrusted: text, inItem }: Extract<Span, { untrusted: string }>): string {
  const most = inItem ? maxInItem : maxInLine;
  const plain = plainBlocks(outline(text, { maxBytes: most * 4, maxNodes: 500 })).join(inItem ? " " : "\n");
  return shortened(inItem ? inertLine(plain) : inert(plain).trim(), most);
}

function change({ change: { number, url, draft } }: Extract<Span, { change: unknown }>): TextElement {
  return linked(`${draft ? "draft " : ""}PR #${number}`, url);
}

/** Mentions a person by id. A person of another provider, or one who is not to be notified, is shown by name. */
function person({ person: { id, login }, notify }: Extract<Span, { person: unknown }>): TextElement {
  return notify && userId.test(id)
    ? { type: "user", user_id: id }
    : { type: "text", text: `@${shortened(inertLine(login), maxQuoted)}` };
}

/** The address is ours; only pages of the web are linked. */
function linked(text: string, url: string | undefined): TextElement {
  const isPage = url !== undefined && url.length <= maxUrl && /^https:\/\/[^\s<>|]+$/.test(url) && URL.canParse(url);
  return isPage ? { type: "link", url, text } : { type: "text", text };
}
